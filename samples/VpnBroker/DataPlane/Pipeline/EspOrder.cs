using System.Runtime.InteropServices;
using CryptoPlane.Esp;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Queueing;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>What an lcore is to do with a pair of SAs.</summary>
internal enum EspOrderKind : byte
{
    /// <summary>Receive on <see cref="EspOrder.Inbound"/>, and keep <see cref="EspOrder.Outbound"/>.</summary>
    Add,

    /// <summary>Send what goes into the tunnel by <see cref="EspOrder.Outbound"/> from now on; null: nothing is sent any more.</summary>
    Use,

    /// <summary>Send to another outer address, if <see cref="EspOrder.Outbound"/> is what sends.</summary>
    Move,

    /// <summary>Forget both SAs, which are freed.</summary>
    Remove,
}

/// <summary>
/// An order about SAs, in a native block of the supervisor's: it is posted by its address and comes back with <see cref="Accepted"/>. Blittable.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EspOrder
{
    public EspOrderKind Kind;

    /// <summary>Set by the lcore: whether it did so. Of a pair that was not added, the SAs are still the supervisor's.</summary>
    public bool Accepted;

    /// <summary>The tunnel's number.</summary>
    public int Tunnel;

    /// <summary>Which of the lcore's ESP ports carries it.</summary>
    public int Port;

    /// <summary>As in <see cref="EspPair.AsksSa"/>.</summary>
    public bool AsksSa;

    /// <summary>How many ranges are at <see cref="Sources"/>.</summary>
    public int SourceCount;

    public InboundSa* Inbound;

    public OutboundSa* Outbound;

    /// <summary>Sources whose packets the peer takes; the supervisor frees them once the SAs are gone.</summary>
    public InnerRange* Sources;

    /// <summary>With <see cref="EspOrderKind.Use"/>: what the tunnel gets on this lcore where traffic is managed.</summary>
    public TunnelLimits Limits;

    /// <summary>The peer's outer address and port.</summary>
    public PacketEndpoint Remote;

    /// <summary>The inner addresses of a remote user, which lead into the tunnel while something is sent; of family 0 for none.</summary>
    public InnerAddress UserIPv4, UserIPv6;

    /// <summary>As in <see cref="EspPair.UserMtu"/>.</summary>
    public int UserMtu;

    /// <summary>As in <see cref="EspPairs.UserOf"/>.</summary>
    public EspPairUser User;
}
