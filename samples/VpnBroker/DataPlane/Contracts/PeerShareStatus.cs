using System.Net;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>An ESP tunnel of IKE's that shares prefixes with others of the same priority.</summary>
/// <param name="Tunnel">Its name, as in <see cref="EspChildRequest.Name"/>.</param>
/// <param name="Weight">As in <see cref="EspChildRequest.Weight"/>.</param>
/// <param name="Share">The part of new flows that it gets now, 0 to 1.</param>
/// <param name="Prefixes">The prefixes; those who share them follow one another in the list.</param>
public sealed record PeerShareStatus(string Tunnel, int Weight, double Share, IReadOnlyList<IPNetwork> Prefixes);
