using System.Net;

namespace VpnBroker.Audit;

/// <summary>An audit record of an IPsec peer: it came up, it went down, it was refused.</summary>
/// <param name="Event"><c>ipsec-up</c> or <c>ipsec-down</c>.</param>
/// <param name="Peer">The peer's name in the configuration; null for somebody who is none.</param>
/// <param name="Identity">Who it is; where it was refused, who it says to be.</param>
/// <param name="Remote">Where it is, or null.</param>
/// <param name="Success">Whether it came up.</param>
/// <param name="Reason">Why not, or why it ended.</param>
public readonly record struct IpsecAudit(string Event, string? Peer, string? Identity, IPEndPoint? Remote, bool Success, string? Reason);
