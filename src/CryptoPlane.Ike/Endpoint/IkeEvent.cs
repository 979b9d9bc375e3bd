using System.Net;
using CryptoPlane.Ike.Authentication.Eap;

namespace CryptoPlane.Ike;

/// <summary>Something that whoever drives an endpoint has to know. Events come in the order in which they happened.</summary>
public abstract record IkeEvent;

/// <summary>An IKE SA is there: the peer is who it says to be.</summary>
/// <param name="IkeSa">Its local SPI.</param>
/// <param name="Connection">The connection's name.</param>
/// <param name="RemoteId">Who the peer is.</param>
/// <param name="Local">Our address and port.</param>
/// <param name="Remote">The peer's.</param>
/// <param name="Replaces">The IKE SA that was rekeyed, whose child SAs it has now; null for a new one.</param>
public sealed record IkeSaEstablished(
    ulong IkeSa, string Connection, IkeIdentity RemoteId, IPEndPoint Local, IPEndPoint Remote, ulong? Replaces) : IkeEvent;

/// <summary>An IKE SA that was established is gone, and with it those of its child SAs that were not yet reported as removed.</summary>
/// <param name="IkeSa">Its local SPI.</param>
/// <param name="Connection">The connection's name.</param>
/// <param name="Reason">Why.</param>
public sealed record IkeSaClosed(ulong IkeSa, string Connection, IkeCloseReason Reason) : IkeEvent;

/// <summary>The child SA is the one to send on from now on, instead of what it replaces.</summary>
/// <param name="Child">The child SA, which was installed before.</param>
public sealed record ChildSaActivated(ChildSaId Child) : IkeEvent;

/// <summary>The child SA is to be forgotten, in both directions. Its SPI may be given to another one from now on.</summary>
/// <param name="Child">The child SA.</param>
/// <param name="Replaced">Whether another had taken its place before.</param>
public sealed record ChildSaRemoved(ChildSaId Child, bool Replaced) : IkeEvent;

/// <summary>
/// The peer is elsewhere now (RFC 4555, or a NAT gave it another address: RFC 7296 §2.23): its child SAs are to be sent there.
/// </summary>
/// <param name="IkeSa">The IKE SA's local SPI.</param>
/// <param name="Children">The child SAs that move with it.</param>
/// <param name="Local">Our address and port.</param>
/// <param name="Remote">The peer's new address and port.</param>
/// <param name="UdpEncapsulation">Whether ESP is enclosed in UDP on the new path.</param>
public sealed record PeerMoved(
    ulong IkeSa, IReadOnlyList<ChildSaId> Children, IPEndPoint Local, IPEndPoint Remote, bool UdpEncapsulation) : IkeEvent;

/// <summary>We could not bring a connection or one of its children up.</summary>
/// <param name="Connection">The connection's name.</param>
/// <param name="Child">The child's name, where the IKE SA is there and only the child failed; else null.</param>
/// <param name="Reason">What failed, for people.</param>
public sealed record InitiationFailed(string Connection, string? Child, string Reason) : IkeEvent;

/// <summary>Somebody who began was turned away: for the audit log.</summary>
/// <param name="Remote">From where.</param>
/// <param name="RemoteId">Who it said to be, as far as it got; not proven.</param>
/// <param name="Reason">Why, for people; the peer is told less.</param>
public sealed record PeerRefused(IPEndPoint Remote, IkeIdentity? RemoteId, string Reason) : IkeEvent
{
    /// <summary>The name of the connection that it asked for; null where it did not get so far.</summary>
    public string? Connection { get; init; }

    /// <summary>Whether it was a password, for whoever counts attempts.</summary>
    public PeerRefusalCause Cause { get; init; }
}

/// <summary>What a peer was turned away for, as far as whoever counts attempts must tell it apart.</summary>
public enum PeerRefusalCause
{
    /// <summary>Something else than a password.</summary>
    Other,

    /// <summary>There is no such user, or the password is another one. <see cref="PeerRefused.RemoteId"/> is the name that was tried.</summary>
    WrongPassword,

    /// <summary><see cref="IEapUsers"/> said that there were too many attempts; whether the password was right was not looked at.</summary>
    TooManyAttempts,
}
