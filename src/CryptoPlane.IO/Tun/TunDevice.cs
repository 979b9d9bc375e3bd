using System.Net;
using System.Net.Sockets;
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
            for (int i = 0; i < queues.Length; i++)
            {
                queues[i] = OpenQueue(ref name, options.Queues > 1);
                udp = SetOffloads(queues[i], options.Offloads);
            }
            var device = new TunDevice(name, queues, options, udp);
            device.BringUp();
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
    /// <param name="address">IPv4 (one per interface) or IPv6.</param>
    /// <param name="prefixLength">Bits of the network.</param>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says why.</exception>
    public void AddAddress(IPAddress address, int prefixLength)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentOutOfRangeException.ThrowIfNegative(prefixLength);
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(prefixLength, 32);
            var request = new InterfaceRequest(Name);
            SetSocketAddress(ref request, address.GetAddressBytes());
            Control(Libc.AF_INET, InterfaceRequest.SIOCSIFADDR, &request, $"give {Name} the address {address}");
            uint mask = prefixLength == 0 ? 0 : uint.MaxValue << (32 - prefixLength);
            SetSocketAddress(ref request, [(byte)(mask >> 24), (byte)(mask >> 16), (byte)(mask >> 8), (byte)mask]);
            Control(Libc.AF_INET, InterfaceRequest.SIOCSIFNETMASK, &request, $"give {Name} the prefix length {prefixLength}");
            return;
        }
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefixLength, 128);
        var index = new InterfaceRequest(Name);
        Control(Libc.AF_INET, InterfaceRequest.SIOCGIFINDEX, &index, $"find the index of {Name}");
        var request6 = new InterfaceRequest6 { PrefixLength = (uint)prefixLength, InterfaceIndex = index.Value };
        address.TryWriteBytes(new Span<byte>(request6.Address, 16), out _);
        Control(Libc.AF_INET6, InterfaceRequest.SIOCSIFADDR, &request6, $"give {Name} the address {address}");
    }

    /// <summary>Closes the queues, with which the interface disappears. The lcores must have stopped using them.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (int queue in _queues)
            _ = Libc.Close(queue);
    }

    private static int OpenQueue(ref string name, bool multiQueue)
    {
        int file = Libc.Open("/dev/net/tun", Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0);
        if (file < 0)
            throw Errno.Failure("open(/dev/net/tun)", "load the kernel module 'tun' and run with CAP_NET_ADMIN.");
        var request = new InterfaceRequest(name)
        {
            Flags = (short)(InterfaceRequest.IFF_TUN | InterfaceRequest.IFF_NO_PI | InterfaceRequest.IFF_VNET_HDR
                | (multiQueue ? InterfaceRequest.IFF_MULTI_QUEUE : 0)),
        };
        if (Libc.Ioctl(file, InterfaceRequest.TUNSETIFF, &request) != 0)
        {
            InvalidOperationException failure = Errno.Failure($"Making the TUN interface '{name}'",
                "run with CAP_NET_ADMIN, and see that no other program holds an interface of this name.");
            _ = Libc.Close(file);
            throw failure;
        }
        name = request.NameText;
        return file;
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

    private void BringUp()
    {
        var request = new InterfaceRequest(Name) { Value = Options.Mtu };
        Control(Libc.AF_INET, InterfaceRequest.SIOCSIFMTU, &request, $"set the MTU of {Name} to {Options.Mtu}");
        request = new InterfaceRequest(Name) { Value = Options.TransmitQueueLength };
        Control(Libc.AF_INET, InterfaceRequest.SIOCSIFTXQLEN, &request, $"set the queue length of {Name}");
        request = new InterfaceRequest(Name);
        Control(Libc.AF_INET, InterfaceRequest.SIOCGIFFLAGS, &request, $"read the flags of {Name}");
        request.Flags |= InterfaceRequest.IFF_UP;
        Control(Libc.AF_INET, InterfaceRequest.SIOCSIFFLAGS, &request, $"bring {Name} up");
    }

    private static void SetSocketAddress(ref InterfaceRequest request, ReadOnlySpan<byte> address)
    {
        fixed (byte* target = request.Address)
        {
            new Span<byte>(target, 16).Clear();
            *(ushort*)target = Libc.AF_INET;
            address.CopyTo(new Span<byte>(target + 4, 4));
        }
    }

    private static void Control(int family, nuint request, void* argument, string what)
    {
        int socket = Libc.Socket(family, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
        if (socket < 0)
            throw Errno.Failure("socket", $"an IPv{(family == Libc.AF_INET ? 4 : 6)} socket is needed to {what}.");
        int result = Libc.Ioctl(socket, request, argument);
        InvalidOperationException? failure = result == 0 ? null : Errno.Failure("ioctl", $"the kernel refused to {what}; it needs CAP_NET_ADMIN.");
        _ = Libc.Close(socket);
        if (failure != null)
            throw failure;
    }
}
