using CryptoPlane.IO;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Devices;

/// <summary>The counters of a TUN queue or a socket under the names that status reports show.</summary>
internal static class KernelPortReading
{
    /// <summary>Converts a copy of a port's counters.</summary>
    public static PortReading From(in PortCounters counters) => new()
    {
        ReceivedPackets = (ulong)counters.ReceivedPackets,
        ReceivedBytes = (ulong)counters.ReceivedBytes,
        SentPackets = (ulong)counters.TransmittedPackets,
        SentBytes = (ulong)counters.TransmittedBytes,
        Drops =
        [
            new DropStatus("too-long", (ulong)counters.DropTooLong),
            new DropStatus("malformed", (ulong)counters.DropMalformed),
            new DropStatus("queue-full", (ulong)counters.DropQueueFull),
            new DropStatus("refused-by-kernel", (ulong)counters.DropRefused),
        ],
        Counters =
        [
            new NamedCounter("receive-calls", (ulong)counters.ReceiveCalls),
            new NamedCounter("receive-super-packets", (ulong)counters.ReceivedSuperPackets),
            new NamedCounter("receive-errors", (ulong)counters.ReceiveErrors),
            new NamedCounter("receive-without-buffer", (ulong)counters.NoBuffer),
            new NamedCounter("send-calls", (ulong)counters.TransmitCalls),
            new NamedCounter("send-super-packets", (ulong)counters.TransmittedSuperPackets),
        ],
    };
}
