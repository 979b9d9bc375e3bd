using VpnBroker.Configuration;
using VpnBroker.Sessions;

namespace VpnBroker.OpenConnect;

/// <summary>What follows from a request.</summary>
public abstract record PortalReply
{
    private PortalReply(byte[] response) => Response = response;

    /// <summary>The bytes to send.</summary>
    public byte[] Response { get; }

    /// <summary>A response, behind which the connection stays open or closes.</summary>
    /// <param name="Bytes">The response.</param>
    /// <param name="Close">Whether the connection closes.</param>
    public sealed record Answer(byte[] Bytes, bool Close) : PortalReply(Bytes);

    /// <summary>A response behind which the connection carries CSTP.</summary>
    /// <param name="Bytes">The response.</param>
    /// <param name="Session">The session.</param>
    /// <param name="Lease">Its addresses.</param>
    /// <param name="Profile">What it gets.</param>
    /// <param name="Mtu">The inner MTU that was agreed on.</param>
    /// <param name="OffersDtls">Whether the client may begin a data channel over DTLS.</param>
    public sealed record Tunnel(byte[] Bytes, Session Session, AddressLease Lease, ProfileConfig Profile, int Mtu, bool OffersDtls) : PortalReply(Bytes);
}
