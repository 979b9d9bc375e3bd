using CryptoPlane.Dpdk;
using CryptoPlane.IO.Ethernet;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>The counters of Ethernet ports under the names that status reports show.</summary>
internal static class EthernetPortReading
{
    private static readonly EthernetDrop[] s_reasons = [.. Enum.GetValues<EthernetDrop>().Where(reason => reason != EthernetDrop.None)];

    /// <summary>What an lcore's port carried: IP packets; frames and what is on its way to or from the kernel are among the further counters.</summary>
    public static PortReading From(EthernetCounters port, EthQueueCounters queue) => new()
    {
        ReceivedPackets = (ulong)port.ReceivedPackets,
        ReceivedBytes = (ulong)port.ReceivedBytes,
        SentPackets = (ulong)port.TransmittedPackets,
        SentBytes = (ulong)port.TransmittedBytes,
        Drops =
        [
            .. s_reasons.Select(reason => new DropStatus(DropReasonNames.ToHyphens(reason.ToString()), (ulong)port[reason])),
            new DropStatus("scattered-frame", queue.DropScattered),
        ],
        Counters =
        [
            new NamedCounter("frames-received", queue.ReceivedFrames),
            new NamedCounter("frames-sent", queue.TransmittedFrames),
            new NamedCounter("frames-to-kernel", (ulong)port.ToException),
            new NamedCounter("frames-from-kernel", (ulong)port.FromException),
            new NamedCounter("answered", (ulong)port.Answered),
            new NamedCounter("address-conflicts", (ulong)port.AddressConflicts),
            new NamedCounter("neighbour-messages", (ulong)port.NeighbourMessages),
            new NamedCounter("own-messages", (ulong)port.OwnMessages),
            new NamedCounter("waited-for-neighbour", (ulong)port.Waited),
            new NamedCounter("short-bursts", queue.ShortBursts),
        ],
    };

    /// <summary>What the device counted: frames, in all its queues.</summary>
    public static PortReading From(EthPortCounters device) => new()
    {
        ReceivedPackets = device.ReceivedFrames,
        ReceivedBytes = device.ReceivedBytes,
        SentPackets = device.TransmittedFrames,
        SentBytes = device.TransmittedBytes,
        Drops =
        [
            new DropStatus("missed", device.Missed),
            new DropStatus("receive-error", device.ReceiveErrors),
            new DropStatus("send-error", device.TransmitErrors),
            new DropStatus("no-buffer", device.NoBuffer),
        ],
    };
}
