using CryptoPlane.Buffers;
using CryptoPlane.Flows.Sessions;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// Writes the ICMP errors and TCP resets of one lcore, all together at a bounded rate (RFC 1812 §4.3.2.8, RFC 4443 §2.4 f).
/// </summary>
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
        PacketBuffer* error = Rent(IcmpError.MaxIPv6);
        if (error == null)
            return null;
        ForwardingSnapshot* forwarding = context.Forwarding;
        InnerAddress router = inner.Source.Family == 4 ? forwarding->RouterIPv4 : forwarding->RouterIPv6;
        error->TrySetLength(IcmpError.Write(kind, packet->Data, inner, router, mtu, error->Data));
        context.Counters->IcmpSent++;
        return error;
    }

    /// <summary>What a policy's rejection is answered with: TCP segments with a RST, other packets with an ICMP error.</summary>
    /// <param name="packet">The packet; stays the caller's.</param>
    /// <param name="inner">What its header says.</param>
    /// <returns>The answer, to be routed like any packet; null where none is due, or none can be sent.</returns>
    public PacketBuffer* TryReject(PacketBuffer* packet, in InnerPacket inner)
    {
        if (!SessionParser.TryParse(packet->Data, packet->Length, out _, out SessionPacket parsed) || !TcpReset.IsSegment(parsed))
            return TryReport(packet, inner, IcmpErrorKind.Prohibited, 0);
        byte* reset = stackalloc byte[TcpReset.MaxLength];
        int length = TcpReset.Write(packet->Data, inner, parsed, reset);
        PacketBuffer* answer = length == 0 ? null : Rent(length);
        if (answer == null)
            return null;
        Buffer.MemoryCopy(reset, answer->Data, length, length);
        context.Counters->ResetsSent++;
        return answer;
    }

    /// <summary>A buffer of a length, if the rate allows it.</summary>
    private PacketBuffer* Rent(int length)
    {
        if (!_rate.TryTake(context.Now))
        {
            context.Counters->Drop(DropReason.IcmpRateLimited);
            return null;
        }
        if (!context.Packets.TryRent(out PacketBuffer* packet))
        {
            context.Counters->Drop(DropReason.BuffersExhausted);
            return null;
        }
        if (packet->TrySetLength(length))
            return packet;
        context.Drop(packet, DropReason.Oversize);
        return null;
    }
}
