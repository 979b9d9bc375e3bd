using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Counters;

/// <summary>Inner packets and their bytes through one kind of port.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PortCounters
{
    public ulong ReceivedPackets;
    public ulong ReceivedBytes;
    public ulong SentPackets;
    public ulong SentBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Received(int bytes)
    {
        ReceivedPackets++;
        ReceivedBytes += (uint)bytes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Sent(int bytes)
    {
        SentPackets++;
        SentBytes += (uint)bytes;
    }
}

/// <summary>
/// One lcore's counters, in native memory: the lcore alone writes, other threads read each counter whole, at any time.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TrafficCounters
{
    private const int DropSlots = 64;

    public PortCounters Users;
    public PortCounters Esp;
    public PortCounters Tun;

    /// <summary>Packets given to another lcore, and taken from others.</summary>
    public ulong HandedOver;
    public ulong TakenOver;

    /// <summary>ICMP errors sent.</summary>
    public ulong IcmpSent;

    /// <summary>TCP segments that were answered with a RST.</summary>
    public ulong ResetsSent;

    /// <summary>AEAD bursts and the operations in them: their quotient is what batching gained.</summary>
    public ulong Bursts;
    public ulong Operations;

    /// <summary>KeyUpdate messages sent on users' connections.</summary>
    public ulong KeyUpdates;

    /// <summary>User tunnels of the lcore now.</summary>
    public int Tunnels;

    /// <summary>Sessions.</summary>
    public FlowCounters Flows;

    /// <summary>Data channels over DTLS.</summary>
    public DtlsCounters Dtls;

    private fixed ulong _drops[DropSlots];

    /// <summary>Packets dropped for a reason.</summary>
    public readonly ulong Dropped(DropReason reason) => _drops[(int)reason];

    // Sound: the enumeration has fewer members than slots (asserted by a test), and only members are passed.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Drop(DropReason reason) => _drops[(int)reason]++;

    /// <summary>Whether every reason has a slot.</summary>
    public static bool Fits => (int)DropReason.Count <= DropSlots;
}
