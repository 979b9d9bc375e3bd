using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Sessions;

namespace VpnBroker.Ipsec.Users;

/// <summary>A remote user who is logged in by IKEv2. IKE's thread.</summary>
internal sealed class RemoteUser(Session session, ProfileConfig profile)
{
    private EspActivity _carried;

    public Session Session => session;

    /// <summary>What the session was given; a reload changes later ones.</summary>
    public ProfileConfig Profile => profile;

    /// <summary>The local SPI of its IKE SA, which changes with rekeys of it.</summary>
    public ulong IkeSa { get; set; }

    /// <summary>Why the broker has ended it, before IKE has; null while it lives, and when the client ended it.</summary>
    public TunnelEndReason? EndReason { get; set; }

    /// <summary>When the last inner packet came or went, in milliseconds.</summary>
    public long LastPacket { get; set; }

    /// <summary>What the data plane has to know.</summary>
    public EspUser Tunnel { get; } = new(session.TunnelId, session.Id, session.Lease!.IPv4, session.Lease.IPv6)
    {
        Name = session.User,
        Groups = session.Groups,
    };

    /// <summary>Adds what a pair of SAs has carried that is gone.</summary>
    public void Add(in EspActivity carried) => _carried = _carried.Plus(carried);

    /// <summary>What the session table wants to know in the end.</summary>
    public TunnelEnded Ended(TunnelEndReason reason) => new(session.TunnelId, session.Id, reason, _carried.ReceivedBytes, _carried.SentBytes);
}
