using System.Runtime.CompilerServices;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.Esp;
using CryptoPlane.Lcores;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// Shows inner packets to the lcore's tap: a pass of its own over a burst, which the stages make only while a capture runs.
/// </summary>
internal sealed unsafe class InnerCapture(CaptureTap tap, TunnelTable tunnels)
{
    /// <summary>Drops of what is an inner packet for sure: not of frames, sealed packets or half-built ones.</summary>
    private const ulong InnerReasons =
        (1UL << (int)DropReason.InnerMalformed) | (1UL << (int)DropReason.InnerChecksum) | (1UL << (int)DropReason.SourceAddress)
        | (1UL << (int)DropReason.DestinationAddress) | (1UL << (int)DropReason.HopLimit) | (1UL << (int)DropReason.NoRoute)
        | (1UL << (int)DropReason.NoTunnel) | (1UL << (int)DropReason.TooBig) | (1UL << (int)DropReason.SlowReader)
        | (1UL << (int)DropReason.BacklogExhausted) | (1UL << (int)DropReason.NoPort) | (1UL << (int)DropReason.TunFull)
        | (1UL << (int)DropReason.UnsafeFragment) | (1UL << (int)DropReason.FlowTableFull) | (1UL << (int)DropReason.PolicyDenied)
        | (1UL << (int)DropReason.UserFlowLimit)
        | (1UL << (int)DropReason.Policed) | (1UL << (int)DropReason.QueueDelay) | (1UL << (int)DropReason.QueueFull)
        | (1UL << (int)DropReason.QueuesFull);

    /// <summary>Packets that came out of ESP tunnels.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Opened(EspDecapsulator decapsulator)
    {
        if (!tap.Takes(CapturePoint.Inner))
            return;
        long now = MonotonicClock.Nanoseconds;
        for (int i = 0; i < decapsulator.Count; i++)
        {
            ref readonly EspDecapsulated result = ref decapsulator[i];
            if (result.Reason == EspDropReason.None)
                Show(CaptureDirection.In, result.Packet->Data, result.Packet->Length, now, CaptureNotes.OfEspTunnel((int)result.Sa->UserData));
        }
    }

    /// <summary>Packets that came out of users' records.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Opened(TlsRecordReader reader)
    {
        if (!tap.Takes(CapturePoint.Inner))
            return;
        long now = MonotonicClock.Nanoseconds;
        for (int i = 0; i < reader.Count; i++)
        {
            ref readonly TlsOpenedRecord record = ref reader[i];
            var packet = (PacketBuffer*)record.UserData;
            if (record.Status == TlsOpenStatus.Opened && record.Length > CstpFrame.HeaderSize
                && CstpFrame.TryParse(packet->Data, record.Length, out CstpType type) == CstpStatus.Ok && type == CstpType.Data)
            {
                Show(CaptureDirection.In, packet->Data + CstpFrame.HeaderSize, record.Length - CstpFrame.HeaderSize, now,
                    CaptureNotes.OfSession(tunnels[PacketMeta.Of(packet)->Tunnel]->SessionId));
            }
        }
    }

    /// <summary>Packets that came out of users' datagrams.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Opened(DtlsRecordReader reader)
    {
        if (!tap.Takes(CapturePoint.Inner))
            return;
        long now = MonotonicClock.Nanoseconds;
        for (int i = 0; i < reader.Count; i++)
        {
            ref readonly DtlsOpenedRecord record = ref reader[i];
            if (record.Status == DtlsOpenStatus.Opened && record.Length > 1 && record.Data[0] == (byte)CstpType.Data)
            {
                int slot = PacketMeta.Of((PacketBuffer*)record.UserData)->Tunnel;
                Show(CaptureDirection.In, record.Data + 1, record.Length - 1, now, CaptureNotes.OfSession(tunnels[slot]->SessionId));
            }
        }
    }

    /// <summary>Everything that waits to be sealed: the seal stage empties all queues in one run, so that each packet is seen once.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void ToSeal(OutputQueues output)
    {
        if (!tap.Takes(CapturePoint.Inner))
            return;
        long now = MonotonicClock.Nanoseconds;
        for (int i = 0; i < output.EspCount; i++)
        {
            PacketBuffer* packet = output.Esp[i];
            Show(CaptureDirection.Out, packet->Data, packet->Length, now, CaptureNotes.OfEspTunnel(PacketMeta.Of(packet)->Tunnel));
        }
        for (int slot = tunnels.PeekActive(); slot >= 0; slot = tunnels[slot]->NextActive)
        {
            ulong subject = CaptureNotes.OfSession(tunnels[slot]->SessionId);
            for (PacketBuffer* packet = tunnels[slot]->OutHead; packet != null; packet = PacketMeta.Of(packet)->Next)
            {
                if (PacketMeta.Of(packet)->Type == CstpType.Data)
                    Show(CaptureDirection.Out, packet->Data, packet->Length, now, subject);
            }
        }
    }

    /// <summary>A packet that goes no further.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Dropped(CaptureTap tap, PacketBuffer* packet, DropReason reason)
    {
        if (tap.Takes(CapturePoint.Dropped) && (InnerReasons >> (int)reason & 1) != 0)
            tap.Packet(CapturePoint.Dropped, CaptureDirection.None, packet->Data, packet->Length, MonotonicClock.Nanoseconds, 0, (ushort)reason);
    }

    private void Show(CaptureDirection direction, byte* data, int length, long now, ulong subject) =>
        tap.Packet(CapturePoint.Inner, direction, data, length, now, subject, 0);
}
