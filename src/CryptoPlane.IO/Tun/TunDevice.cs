using System.Net;
using CryptoPlane.IO.Interop;

namespace CryptoPlane.IO;

/// <summary>
/// A TUN interface that this process made: its queues, address, MTU. For control threads; lcores use a <see cref="TunPort"/> on one of
/// the queues.
/// </summary>
/// <remarks>Needs CAP_NET_ADMIN. The interface goes away when the device is disposed of.</remarks>
public sealed unsafe class TunDevice : IDisposable
{
    private readonly int[] _queues;
    private bool _disposed;

    private TunDevice(string name, int[] queues, TunOptions options, bool udpOffload)
    {
        Name = name;
        _queues = queues;
        Options = options;
        HasUdpOffload = udpOffload;
    }

    /// <summary>The interface's name as the kernel chose it.</summary>
    public string Name { get; }

    /// <summary>What the device was made with.</summary>
    public TunOptions Options { get; }

    /// <summary>Whether the kernel exchanges UDP super-packets too (Linux 6.2 and later).</summary>
    public bool HasUdpOffload { get; }

    /// <summary>How many queues there are.</summary>
    public int QueueCount => _queues.Length;

    /// <summary>Makes the interface, sets its MTU and brings it up.</summary>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what is missing.</exception>
    public static TunDevice Open(TunOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Queues, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Mtu, 68, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Mtu, 65_535, nameof(options));
        if (options.Name.Length >= InterfaceRequest.NameSize)
            throw new ArgumentException($"The interface name '{options.Name}' is longer than 15 characters.", nameof(options));

        int[] queues = new int[options.Queues];
        Array.Fill(queues, -1);
        try
        {
            string name = options.Name;
            bool udp = false;
            int flags = InterfaceRequest.IFF_TUN | InterfaceRequest.IFF_NO_PI | InterfaceRequest.IFF_VNET_HDR
                | (options.Queues > 1 ? InterfaceRequest.IFF_MULTI_QUEUE : 0);
            for (int i = 0; i < queues.Length; i++)
            {
                queues[i] = InterfaceControl.OpenQueue(ref name, flags);
                udp = SetOffloads(queues[i], options.Offloads);
            }
            var device = new TunDevice(name, queues, options, udp);
            InterfaceControl.BringUp(name, options.Mtu, options.TransmitQueueLength);
            return device;
        }
        catch
        {
            foreach (int queue in queues)
            {
                if (queue >= 0)
                    _ = Libc.Close(queue);
            }
            throw;
        }
    }

    /// <summary>A queue's descriptor. It stays the device's.</summary>
    public int Queue(int index) => _queues[index];

    /// <summary>Gives the interface an address; the kernel adds the route of its prefix.</summary>
    /// <param name="address">IPv4 or IPv6.</param>
    /// <param name="prefixLength">Bits of the network.</param>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says why.</exception>
    public void AddAddress(IPAddress address, int prefixLength) =>
        InterfaceControl.AddAddress(Name, address, prefixLength);

    /// <summary>Closes the queues, with which the interface disappears. The lcores must have stopped using them.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (int queue in _queues)
            _ = Libc.Close(queue);
    }

    /// <returns>Whether UDP super-packets are on.</returns>
    private static bool SetOffloads(int queue, bool wanted)
    {
        const nint tcp = InterfaceRequest.TUN_F_CSUM | InterfaceRequest.TUN_F_TSO4 | InterfaceRequest.TUN_F_TSO6;
        const nint udp = InterfaceRequest.TUN_F_USO4 | InterfaceRequest.TUN_F_USO6;
        if (!wanted)
        {
            _ = Libc.Ioctl(queue, InterfaceRequest.TUNSETOFFLOAD, null);
            return false;
        }
        if (Libc.Ioctl(queue, InterfaceRequest.TUNSETOFFLOAD, (void*)(tcp | udp)) == 0)
            return true;
        if (Libc.Ioctl(queue, InterfaceRequest.TUNSETOFFLOAD, (void*)tcp) != 0)
            throw Errno.Failure("ioctl(TUNSETOFFLOAD)", "the kernel has no TUN offloads: set Offloads to false.");
        return false;
    }
}
