using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using CryptoPlane.Dpdk.Interop;

namespace CryptoPlane.Dpdk;

/// <summary>What an Ethernet port is and can do.</summary>
public sealed record EthPortInfo
{
    internal unsafe EthPortInfo(int number, in EthDescription description)
    {
        Number = number;
        // Sound: the C side ends both names with a zero within their size, and an address has 6 bytes.
        fixed (byte* name = description.Name, driver = description.Driver, mac = description.Mac)
        {
            Name = Marshal.PtrToStringUTF8((nint)name)!;
            Driver = Marshal.PtrToStringUTF8((nint)driver)!;
            Mac = new PhysicalAddress(new ReadOnlySpan<byte>(mac, 6).ToArray());
        }
        MaxQueues = (int)description.MaxQueues;
        Socket = description.Socket;
        MinMtu = (int)description.MinMtu;
        MaxMtu = (int)Math.Min(description.MaxMtu, ushort.MaxValue);
        ChecksIpChecksum = description.ChecksIp != 0;
        ChecksTransportChecksum = description.ChecksTransport != 0;
        SpreadsByHash = description.Spreads != 0;
    }

    /// <summary>Such as <c>net_tap0</c> or <c>0000:3b:00.0</c>.</summary>
    public string Name { get; }

    /// <summary>The poll-mode driver, such as <c>net_tap</c> or <c>net_ice</c>.</summary>
    public string Driver { get; }

    /// <summary>The port's address.</summary>
    public PhysicalAddress Mac { get; }

    /// <summary>Queue pairs that the port has: one per lcore.</summary>
    public int MaxQueues { get; }

    /// <summary>NUMA node, or -1 where there is none.</summary>
    public int Socket { get; }

    /// <summary>Least MTU, in bytes behind the Ethernet header; 0 where there is no bound.</summary>
    public int MinMtu { get; }

    /// <summary>Largest MTU.</summary>
    public int MaxMtu { get; }

    /// <summary>Whether received packets say by <see cref="Buffers.PacketFlags"/> if the checksum of their IPv4 header is right.</summary>
    public bool ChecksIpChecksum { get; }

    /// <summary>Whether received packets say by <see cref="Buffers.PacketFlags"/> if their UDP or TCP checksum is right.</summary>
    public bool ChecksTransportChecksum { get; }

    /// <summary>Whether the port spreads flows over its queues by a hash (RSS).</summary>
    public bool SpreadsByHash { get; }

    internal int Number { get; }
}
