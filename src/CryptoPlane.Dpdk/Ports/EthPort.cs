using CryptoPlane.Buffers;
using CryptoPlane.Dpdk.Interop;

namespace CryptoPlane.Dpdk;

/// <summary>
/// An Ethernet port of DPDK, a network card's or a virtual one (virtio_user, af_packet, af_xdp, tap, memif, ring, pcap): one queue pair
/// per lcore.
/// </summary>
/// <remarks>
/// <para>Call order, on a control thread: <see cref="Find"/> or <see cref="List"/> · <see cref="Open"/> with the lcores' pools ·
/// <see cref="Queue"/> for each lcore · (the lcores work) · stop the lcores · <see cref="Dispose"/> · dispose of the pools.</para>
/// <para>A queue and its pool belong to one thread: a driver that hands a frame that was sent to another thread of this process
/// (<c>net_ring</c> between two lcores) would return it to a pool that is not its own. Use <c>net_ring</c> within one lcore.</para>
/// </remarks>
public sealed unsafe class EthPort : IDisposable
{
    private readonly EthQueue[] _queues;
    private nint _port;

    private EthPort(EthPortInfo info, IReadOnlyList<PacketPool> pools, nint port)
    {
        Info = info;
        _port = port;
        _queues = [.. pools.Select((pool, index) => new EthQueue(index, pool, NativeDpdk.EthQueueOf(port, (uint)index)))];
    }

    /// <summary>What the port is.</summary>
    public EthPortInfo Info { get; }

    /// <summary>Queue pairs that it was opened with.</summary>
    public int QueueCount => _queues.Length;

    /// <summary>The link as it is now. Control threads.</summary>
    public EthLink Link
    {
        get
        {
            ObjectDisposedException.ThrowIf(_port == 0, this);
            EthLinkState state;
            NativeDpdk.EthLinkGet(_port, &state);
            return new EthLink(state.Up != 0, state.Megabits, state.FullDuplex != 0, state.Removed != 0);
        }
    }

    /// <summary>All Ethernet ports that the EAL found.</summary>
    public static IReadOnlyList<EthPortInfo> List()
    {
        Eal.ThrowIfNotInitialized();
        return [.. Enumerable.Range(0, NativeDpdk.EthCount()).Select(index => Describe(NativeDpdk.EthNumber((uint)index)))];
    }

    /// <summary>The port of a name, such as <c>net_tap0</c> or a PCI address.</summary>
    /// <exception cref="DpdkException">There is none; the message lists those that there are.</exception>
    public static EthPortInfo Find(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        IReadOnlyList<EthPortInfo> ports = List();
        return ports.FirstOrDefault(port => port.Name == name) ?? throw new DpdkException(ports.Count == 0
            ? $"There is no Ethernet port '{name}', nor any other: name it in EalOptions (VirtualDevices or PciDevices), and look at the EAL's messages on standard error."
            : $"There is no Ethernet port '{name}'. There are: {string.Join(", ", ports.Select(port => port.Name))}.");
    }

    /// <summary>Configures and starts a port.</summary>
    /// <param name="info">The port.</param>
    /// <param name="pools">One per queue, each its lcore's, made with <see cref="DpdkPacketBlocks"/>; they must outlive the port.</param>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentException">A pool is not made of <see cref="DpdkPacketBlocks"/>, or is another queue's as well.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of the port's range.</exception>
    /// <exception cref="DpdkException">The port refuses.</exception>
    public static EthPort Open(EthPortInfo info, IReadOnlyList<PacketPool> pools, EthPortOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(info);
        ArgumentNullException.ThrowIfNull(pools);
        options ??= new EthPortOptions();
        options.Validate(info, pools.Count);
        if (pools.Any(pool => pool.Blocks is not DpdkPacketBlocks || pool.BlocksHandle == 0))
            throw new ArgumentException("A port receives into pools that were made with DpdkPacketBlocks.", nameof(pools));
        if (pools.Distinct().Count() != pools.Count)
            throw new ArgumentException("Every queue has its lcore's pool: one pool is there twice.", nameof(pools));

        nint* handles = stackalloc nint[pools.Count];
        for (int i = 0; i < pools.Count; i++)
            handles[i] = pools[i].BlocksHandle;
        var configuration = new EthConfiguration
        {
            Queues = (uint)pools.Count,
            RxDescriptors = (uint)options.ReceiveDescriptors,
            TxDescriptors = (uint)options.TransmitDescriptors,
            Mtu = (uint)options.Mtu,
            Promiscuous = options.Promiscuous ? (byte)1 : (byte)0,
            AllMulticast = options.AllMulticast ? (byte)1 : (byte)0,
        };
        nint port;
        int error = NativeDpdk.EthOpen(info.Number, &configuration, handles, &port);
        const int emsgsize = 90, enomem = 12;
        return error switch
        {
            0 => new EthPort(info, pools, port),
            -emsgsize => throw new DpdkException($"A frame of {info.Name}'s MTU does not fit into a buffer of its pool: lower EthPortOptions.Mtu, or make larger buffers", error),
            -enomem => throw new DpdkException($"{info.Name} has no memory or packets for its {pools.Count} queues: make larger pools, lower the descriptors, or raise EalOptions.MemoryMegabytes", error),
            _ => throw new DpdkException($"{info.Name} cannot be opened with {pools.Count} queues; the EAL's messages on standard error say why", error),
        };
    }

    /// <summary>The queue of an lcore.</summary>
    public EthQueue Queue(int index)
    {
        ObjectDisposedException.ThrowIf(_port == 0, this);
        return _queues[index];
    }

    /// <summary>The port's counters; some drivers count little. Control threads.</summary>
    public EthPortCounters ReadCounters()
    {
        ObjectDisposedException.ThrowIf(_port == 0, this);
        EthPortCounters counters;
        int error = NativeDpdk.EthCountersGet(_port, &counters);
        return error == 0 ? counters : throw new DpdkException($"{Info.Name} does not tell its counters", error);
    }

    /// <summary>Asks the port to put ESP packets into a queue by their SPI (rte_flow).</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="ipVersion">4 or 6.</param>
    /// <param name="spi">Host order.</param>
    /// <param name="mask">The bits of it that count: the top byte names the lcore.</param>
    /// <returns>False if the port cannot: RSS spreads the packets, and lcores hand on what is not theirs.</returns>
    public bool TrySteerEsp(int queue, int ipVersion, uint spi, uint mask = 0xFF00_0000)
    {
        ObjectDisposedException.ThrowIf(_port == 0, this);
        return NativeDpdk.EthSteerEsp(_port, (uint)queue, (byte)ipVersion, spi, mask) == 0;
    }

    /// <summary>Asks the port to put the datagrams of a UDP port into a queue (rte_flow).</summary>
    /// <returns>As <see cref="TrySteerEsp"/>.</returns>
    public bool TrySteerUdp(int queue, int ipVersion, ushort destinationPort)
    {
        ObjectDisposedException.ThrowIf(_port == 0, this);
        return NativeDpdk.EthSteerUdp(_port, (uint)queue, (byte)ipVersion, destinationPort) == 0;
    }

    /// <summary>Stops the port for good: no lcore uses a queue of it any more, and the packets that it held are back in their pools.</summary>
    public void Dispose()
    {
        if (_port == 0)
            return;
        _ = NativeDpdk.EthClose(_port);
        _port = 0;
    }

    private static EthPortInfo Describe(int number)
    {
        EthDescription description;
        int error = NativeDpdk.EthDescribe(number, &description);
        return error == 0 ? new EthPortInfo(number, in description) : throw new DpdkException($"Ethernet port {number} cannot be described", error);
    }
}
