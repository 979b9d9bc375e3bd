using System.Net;

namespace CryptoPlane.Ike.Session;

/// <summary>Between which addresses and ports an IKE SA speaks, and what stands between them.</summary>
/// <param name="Local">Our address and port.</param>
/// <param name="Remote">The peer's, as we see them.</param>
internal sealed record PeerPath(IPEndPoint Local, IPEndPoint Remote)
{
    /// <summary>IKE's own port (RFC 7296 §2).</summary>
    public const int Port = 500;

    /// <summary>The port of IKE and ESP where a NAT may be between (RFC 7296 §2.23).</summary>
    public const int NatTraversalPort = 4500;

    /// <summary>Whether somebody translates our address, or the peer is made to believe it.</summary>
    public bool LocalBehindNat { get; init; }

    /// <summary>Whether somebody translates the peer's address, or it makes us believe it.</summary>
    public bool RemoteBehindNat { get; init; }

    /// <summary>Whether ESP is enclosed in UDP.</summary>
    public bool UdpEncapsulation => LocalBehindNat || RemoteBehindNat;

    /// <summary>The same path from port 4500 to port 4500.</summary>
    public PeerPath Float() => this with
    {
        Local = new IPEndPoint(Local.Address, NatTraversalPort),
        Remote = new IPEndPoint(Remote.Address, NatTraversalPort),
    };

    /// <summary>Whether datagrams go the same way.</summary>
    public bool SameWay(PeerPath other) => Local.Equals(other.Local) && Remote.Equals(other.Remote);
}
