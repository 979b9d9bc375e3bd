using CryptoPlane.Buffers;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>Writes the ICMP errors of one lcore, at a bounded rate (RFC 1812 §4.3.2.8, RFC 4443 §2.4 f).</summary>
internal sealed unsafe class IcmpReporter(LcoreContext context)
{
    private const int PerSecond = 1000;
    private const int Burst = 100;

    private TokenBucket _rate = new(PerSecond, Burst, 0);

    /// <summary>An error about a packet that cannot go on.</summary>
    /// <param name="packet">The packet; stays the caller's.</param>
    /// <param name="inner">What its header says.</param>
    /// <param name="kind">What is wrong.</param>
    /// <param name="mtu">With <see cref="IcmpErrorKind.TooBig"/>: the next hop's MTU.</param>
    /// <returns>The error, to be routed like any packet; null where none is due, or none can be sent.</returns>
    public PacketBuffer* TryReport(PacketBuffer* packet, in InnerPacket inner, IcmpErrorKind kind, int mtu)
    {
        if (!IcmpError.IsAllowed(packet->Data, inner))
            return null;
        if (!_rate.TryTake(context.Now))
        {
            context.Counters->Drop(DropReason.IcmpRateLimited);
            return null;
        }
        if (!context.Packets.TryRent(out PacketBuffer* error))
        {
            context.Counters->Drop(DropReason.BuffersExhausted);
            return null;
        }
        if (!error->TrySetLength(IcmpError.MaxIPv6))
        {
            context.Drop(error, DropReason.Oversize);
            return null;
        }
        ForwardingSnapshot* forwarding = context.Forwarding;
        InnerAddress router = inner.Source.Family == 4 ? forwarding->RouterIPv4 : forwarding->RouterIPv6;
        error->TrySetLength(IcmpError.Write(kind, packet->Data, inner, router, mtu, error->Data));
        context.Counters->IcmpSent++;
        return error;
    }
}
