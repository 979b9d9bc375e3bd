using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Dpdk.Interop;

/// <summary>The functions of native/dpdk for packet pools and Ethernet ports.</summary>
internal static unsafe partial class NativeDpdk
{
    [LibraryImport(Library, EntryPoint = "cpd_pool_create")]
    public static partial int PoolCreate(PacketStack* stack, uint bufferSize, int socket, nint* pool);

    [LibraryImport(Library, EntryPoint = "cpd_pool_free")]
    public static partial void PoolFree(nint pool);

    [LibraryImport(Library, EntryPoint = "cpd_eth_count")]
    public static partial int EthCount();

    [LibraryImport(Library, EntryPoint = "cpd_eth_number")]
    public static partial int EthNumber(uint index);

    [LibraryImport(Library, EntryPoint = "cpd_eth_find", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int EthFind(string name);

    [LibraryImport(Library, EntryPoint = "cpd_eth_describe")]
    public static partial int EthDescribe(int number, EthDescription* description);

    [LibraryImport(Library, EntryPoint = "cpd_eth_open")]
    public static partial int EthOpen(int number, EthConfiguration* configuration, nint* pools, nint* port);

    [LibraryImport(Library, EntryPoint = "cpd_eth_close")]
    public static partial int EthClose(nint port);

    [LibraryImport(Library, EntryPoint = "cpd_eth_queue_of")]
    public static partial nint EthQueueOf(nint port, uint index);

    [LibraryImport(Library, EntryPoint = "cpd_eth_queue_read")]
    public static partial EthQueueCounters* EthQueueRead(nint queue);

    [LibraryImport(Library, EntryPoint = "cpd_eth_link_get")]
    public static partial void EthLinkGet(nint port, EthLinkState* link);

    [LibraryImport(Library, EntryPoint = "cpd_eth_counters_get")]
    public static partial int EthCountersGet(nint port, EthPortCounters* counters);

    [LibraryImport(Library, EntryPoint = "cpd_eth_receive")]
    public static partial uint EthReceive(nint queue, PacketBuffer** burst, uint capacity);

    [LibraryImport(Library, EntryPoint = "cpd_eth_transmit")]
    public static partial uint EthTransmit(nint queue, PacketBuffer** burst, uint count);

    [LibraryImport(Library, EntryPoint = "cpd_eth_steer_esp")]
    public static partial int EthSteerEsp(nint port, uint queue, byte ipVersion, uint spi, uint mask);

    [LibraryImport(Library, EntryPoint = "cpd_eth_steer_udp")]
    public static partial int EthSteerUdp(nint port, uint queue, byte ipVersion, ushort destinationPort);
}

/// <summary>cpd_eth_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EthDescription
{
    public fixed byte Name[CryptodevDescription.NameSize];
    public fixed byte Driver[CryptodevDescription.NameSize];
    public uint MaxQueues;
    public int Socket;
    public uint MinMtu, MaxMtu;
    public fixed byte Mac[6];
    public byte ChecksIp, ChecksTransport, Spreads;
    private fixed byte _reserved[3];

    static EthDescription()
    {
        if (Unsafe.SizeOf<EthDescription>() != (2 * CryptodevDescription.NameSize) + 28)
            throw new InvalidOperationException("EthDescription must have the layout of cpd_eth_info.");
    }
}

/// <summary>cpd_eth_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EthConfiguration
{
    public uint Queues, RxDescriptors, TxDescriptors, Mtu;
    public byte Promiscuous, AllMulticast;
    public ushort Reserved;
}

/// <summary>cpd_eth_link.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EthLinkState
{
    public uint Megabits;
    public byte Up, FullDuplex, Removed, Reserved;
}
