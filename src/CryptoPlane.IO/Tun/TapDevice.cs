using System.Net;
using CryptoPlane.IO.Interop;

namespace CryptoPlane.IO;

/// <summary>
/// A TAP interface that this process made: an Ethernet link to this host's kernel. Behind a port that the kernel does not see (DPDK), it
/// is where the kernel gets the frames that are its own, so that it answers on the same addresses. For control threads; lcores use a
/// <see cref="TapPort"/> on one of the queues.
/// </summary>
/// <remarks>Needs CAP_NET_ADMIN. The interface goes away when the device is disposed of.</remarks>
public sealed unsafe class TapDevice : IDisposable
{
    // include/uapi/linux/if_ether.h ETH_MAX_MTU is 65,535; drivers/net/tun.c takes the Ethernet header off.
    private const int MaximumMtu = 65_535 - 14;

    private readonly int[] _queues;
    private bool _disposed;

    private TapDevice(string name, int[] queues, TapOptions options)
    {
        Name = name;
        _queues = queues;
        Options = options;
    }

    /// <summary>The interface's name as the kernel chose it.</summary>
    public string Name { get; }

    /// <summary>What the device was made with.</summary>
    public TapOptions Options { get; }

    /// <summary>How many queues there are.</summary>
    public int QueueCount => _queues.Length;

    /// <summary>Makes the interface, sets its Ethernet address and MTU, and brings it up.</summary>
    /// <exception cref="ArgumentException">An option makes no sense; the message says which.</exception>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what is missing.</exception>
    public static TapDevice Open(TapOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Queues, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Mtu, 68, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Mtu, MaximumMtu, nameof(options));
        if (options.Name.Length >= InterfaceRequest.NameSize)
            throw new ArgumentException($"The interface name '{options.Name}' is longer than 15 characters.", nameof(options));
        byte[]? mac = options.Mac?.GetAddressBytes();
        if (mac != null && (mac.Length != 6 || (mac[0] & 1) != 0 || mac.AsSpan().IndexOfAnyExcept((byte)0) < 0))
            throw new ArgumentException($"{options.Mac} is not a station's Ethernet address: 6 bytes, the first of them even.", nameof(options));

        int[] queues = new int[options.Queues];
        Array.Fill(queues, -1);
        try
        {
            string name = options.Name;
            int flags = InterfaceRequest.IFF_TAP | InterfaceRequest.IFF_NO_PI | (options.Queues > 1 ? InterfaceRequest.IFF_MULTI_QUEUE : 0);
            for (int i = 0; i < queues.Length; i++)
            {
                queues[i] = InterfaceControl.OpenQueue(ref name, flags);
                // No offloads: the kernel finishes checksums and cuts segments itself, since frames leave through another device as they are.
                if (Libc.Ioctl(queues[i], InterfaceRequest.TUNSETOFFLOAD, null) != 0)
                    throw Errno.Failure("ioctl(TUNSETOFFLOAD)", $"{name} must be a TAP device without offloads.");
            }
            if (mac != null)
                InterfaceControl.SetEthernetAddress(name, mac);
            InterfaceControl.BringUp(name, options.Mtu, options.TransmitQueueLength);
            return new TapDevice(name, queues, options);
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

    /// <summary>
    /// Gives the interface an address; the kernel adds the route of its prefix, and sees by duplicate address detection that an IPv6
    /// address is free on the link before it uses it.
    /// </summary>
    /// <param name="address">IPv4 or IPv6.</param>
    /// <param name="prefixLength">Bits of the network.</param>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says why.</exception>
    public void AddAddress(IPAddress address, int prefixLength) => InterfaceControl.AddAddress(Name, address, prefixLength);

    /// <summary>Enters a route through the interface into the kernel's main table, in place of the one it has for the prefix.</summary>
    /// <param name="prefix">The destinations; of length 0 for the default route.</param>
    /// <param name="gateway">The router on the link; null where the destinations are on the link themselves.</param>
    /// <exception cref="ArgumentException">Prefix and gateway are of different families.</exception>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says why.</exception>
    public void SetRoute(IPNetwork prefix, IPAddress? gateway) => InterfaceControl.SetRoute(Name, prefix, gateway);

    /// <summary>
    /// Tells the kernel whether the link behind the interface is up, so that routing daemons and the like see what they would see of a
    /// network card.
    /// </summary>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says why.</exception>
    public void SetCarrier(bool up)
    {
        int carrier = up ? 1 : 0;
        if (Libc.Ioctl(_queues[0], InterfaceRequest.TUNSETCARRIER, &carrier) != 0)
            throw Errno.Failure("ioctl(TUNSETCARRIER)", $"the state of the link of {Name} needs Linux 5.0 or later.");
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
}
