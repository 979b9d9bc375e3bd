using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.Esp;

namespace VpnBroker.DataPlane.Routing;

/// <summary>Converts ranges of addresses, which traffic selectors are, into prefixes, which routes are. Control paths.</summary>
internal static class AddressRanges
{
    /// <summary>The fewest prefixes that cover a selector's addresses and nothing else: at most 62 of IPv4, 254 of IPv6.</summary>
    public static IEnumerable<IPNetwork> PrefixesOf(EspSelector selector)
    {
        bool ipv4 = selector.FirstAddress.AddressFamily == AddressFamily.InterNetwork;
        int bits = ipv4 ? 32 : 128;
        UInt128 first = NumberOf(selector.FirstAddress), last = NumberOf(selector.LastAddress);
        while (first <= last)
        {
            // The largest block that begins here: bounded by how the address is aligned, and by where the range ends.
            int free = first == 0 ? bits : Math.Min(bits, (int)UInt128.TrailingZeroCount(first));
            while (free > 0 && EndOf(first, free) > last)
                free--;
            yield return new IPNetwork(AddressOf(first, ipv4), bits - free);
            UInt128 end = EndOf(first, free);
            if (end >= last)
                break;
            first = end + 1;
        }
    }

    private static UInt128 EndOf(UInt128 first, int free) => free == 128 ? UInt128.MaxValue : first | ((UInt128.One << free) - 1);

    private static UInt128 NumberOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int count);
        return count == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private static IPAddress AddressOf(UInt128 number, bool ipv4)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(ipv4 ? bytes[12..] : bytes);
    }
}
