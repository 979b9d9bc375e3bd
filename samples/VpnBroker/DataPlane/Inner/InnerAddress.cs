using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Inner;

/// <summary>An IPv4 or IPv6 address as numbers in host order: comparable, unmanaged, no allocation.</summary>
/// <param name="Family">4 or 6; 0 for none.</param>
/// <param name="High">The first 64 bits of an IPv6 address; 0 for IPv4.</param>
/// <param name="Low">The last 64 bits of an IPv6 address, or the 32 bits of IPv4.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct InnerAddress(int Family, ulong High, ulong Low)
{
    /// <summary>The address at a place in an IPv4 packet.</summary>
    // Sound: the caller has checked the packet's length; 4 bytes are read.
    public static unsafe InnerAddress ReadIPv4(byte* address) => new(4, 0, NetworkOrder.From(*(uint*)address));

    /// <summary>The address at a place in an IPv6 packet.</summary>
    // Sound: the caller has checked the packet's length; 16 bytes are read.
    public static unsafe InnerAddress ReadIPv6(byte* address) =>
        new(6, NetworkOrder.From(*(ulong*)address), NetworkOrder.From(*(ulong*)(address + 8)));

    /// <summary>Converts the framework's form; null gives none. Control paths.</summary>
    public static unsafe InnerAddress From(IPAddress? address)
    {
        if (address == null)
            return default;
        byte* bytes = stackalloc byte[16];
        address.TryWriteBytes(new Span<byte>(bytes, 16), out _);
        return address.AddressFamily == AddressFamily.InterNetwork ? ReadIPv4(bytes) : ReadIPv6(bytes);
    }

    /// <summary>Converts to the framework's form; none gives null. Control paths.</summary>
    public unsafe IPAddress? ToIPAddress()
    {
        if (Family == 0)
            return null;
        byte* bytes = stackalloc byte[16];
        int size = Write(bytes);
        return new IPAddress(new ReadOnlySpan<byte>(bytes, size));
    }

    /// <summary>Writes the address as it goes into a header.</summary>
    /// <returns>How many bytes: 4 or 16.</returns>
    public unsafe int Write(byte* destination)
    {
        if (Family == 4)
        {
            *(uint*)destination = NetworkOrder.From((uint)Low);
            return 4;
        }
        *(ulong*)destination = NetworkOrder.From(High);
        *(ulong*)(destination + 8) = NetworkOrder.From(Low);
        return 16;
    }
}
