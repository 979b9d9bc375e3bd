using System.Runtime.InteropServices;

namespace CryptoPlane.IO.Ethernet;

/// <summary>
/// What an <see cref="EthernetIpPort"/> carried and dropped: written by its lcore, read by any thread through
/// <see cref="EthernetIpPort.ReadCounters"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = SizeInBytes)]
public unsafe struct EthernetCounters
{
    internal const int SizeInBytes = 256;
    private const int DropSlots = 20;

    /// <summary>
    /// Frames that came: each is given to the lcore, goes to the exception port, is answered, or is dropped for one of the reasons from
    /// <see cref="EthernetDrop.Truncated"/> to <see cref="EthernetDrop.ExceptionFull"/>.
    /// </summary>
    public long ReceivedFrames;

    /// <summary>IP packets given to the lcore.</summary>
    public long ReceivedPackets;

    /// <summary>Their bytes.</summary>
    public long ReceivedBytes;

    /// <summary>IP packets of the lcore that went out.</summary>
    public long TransmittedPackets;

    /// <summary>Their bytes, without Ethernet headers.</summary>
    public long TransmittedBytes;

    /// <summary>Frames to the exception port.</summary>
    public long ToException;

    /// <summary>Frames of the exception port that went out.</summary>
    public long FromException;

    /// <summary>Requests that were answered here: ARP, neighbour solicitations, echo requests.</summary>
    public long Answered;

    /// <summary>ARP and neighbour discovery messages that were looked at.</summary>
    public long NeighbourMessages;

    /// <summary>ARP and neighbour discovery messages, and echo replies, that the port made itself.</summary>
    public long OwnMessages;

    /// <summary>Packets that waited until their neighbour was known.</summary>
    public long Waited;

    /// <summary>ARP and neighbour discovery messages in which another station used one of our addresses (RFC 5227 §2.4).</summary>
    public long AddressConflicts;

    private fixed long _drops[DropSlots];

    /// <summary>Dropped for a reason.</summary>
    public readonly long this[EthernetDrop reason]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((int)reason, DropSlots);
            return _drops[(int)reason];
        }
    }

    // Sound: every member of the enumeration is below DropSlots (a test says so), and only members are passed.
    internal void Add(EthernetDrop reason) => _drops[(int)reason]++;

    /// <summary>A copy whose every field was there at some time: for reading from other threads.</summary>
    internal static EthernetCounters Copy(EthernetCounters* counters)
    {
        EthernetCounters copy = default;
        for (int i = 0; i < SizeInBytes / sizeof(long); i++)
            ((long*)&copy)[i] = Volatile.Read(ref ((long*)counters)[i]);
        return copy;
    }
}
