namespace VpnBroker.Status;

/// <summary>An IPsec peer's tunnel that shares prefixes with others.</summary>
/// <param name="Tunnel">The tunnel.</param>
/// <param name="Weight">The peer's weight in the configuration.</param>
/// <param name="Share">The part of new flows that it gets now, 0 to 1: by weight, and by what it carries.</param>
/// <param name="Prefixes">What is shared; the tunnels of one list follow one another.</param>
public sealed record PeerShareReport(string Tunnel, int Weight, double Share, IReadOnlyList<string> Prefixes);
