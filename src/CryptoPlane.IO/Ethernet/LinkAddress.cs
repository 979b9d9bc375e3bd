using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.IO.Ethernet;

/// <summary>An IP address as the neighbour table has it: 16 bytes in network order, IPv4 in the form ::ffff:a.b.c.d (RFC 4291 §2.5.5.2).</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal unsafe struct LinkAddress : IEquatable<LinkAddress>
{
    private ulong _first, _second;

    /// <summary>Reads 4 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LinkAddress IPv4(byte* address) => new() { _second = 0xFFFF_0000UL | ((ulong)Unsafe.ReadUnaligned<uint>(address) << 32) };

    /// <summary>Reads 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LinkAddress IPv6(byte* address) =>
        new() { _first = Unsafe.ReadUnaligned<ulong>(address), _second = Unsafe.ReadUnaligned<ulong>(address + 8) };

    public static LinkAddress From(IPAddress address)
    {
        byte* bytes = stackalloc byte[16];
        address.TryWriteBytes(new Span<byte>(bytes, 16), out _);
        return address.AddressFamily == AddressFamily.InterNetwork ? IPv4(bytes) : IPv6(bytes);
    }

    /// <summary>
    /// Whether this is an IPv4 address. No packet of IPv6 carries the IPv4-mapped form: what arrives or leaves with it is dropped, so that
    /// the two families cannot be taken for one another.
    /// </summary>
    public readonly bool IsIPv4 => _first == 0 && (uint)_second == 0xFFFF_0000;

    /// <summary>The address's own bytes: 4, which begin here, for IPv4; 16 for IPv6.</summary>
    public static byte* BytesOf(LinkAddress* address) => (byte*)address + (address->IsIPv4 ? 12 : 0);

    public readonly bool IsZero => (_first | (IsIPv4 ? _second >> 32 : _second)) == 0;

    /// <summary>Whether this is one of a group's addresses, or IPv4's limited broadcast.</summary>
    public readonly bool IsGroup => IsIPv4 ? ((_second >> 32) & 0xF0) is 0xE0 or 0xF0 : (byte)_first == 0xFF;

    /// <summary>fe80::/10 (RFC 4291 §2.5.6).</summary>
    public readonly bool IsIPv6LinkLocal => (byte)_first == 0xFE && (_first >> 8 & 0xC0) == 0x80;

    /// <summary>127.0.0.0/8 and ::1, which are never on a link (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).</summary>
    public readonly bool IsLoopback => IsIPv4 ? (byte)(_second >> 32) == 127 : _first == 0 && _second == 1UL << 56;

    /// <summary>
    /// Whether this may be one station's address on a link: no group's, no loopback, not unspecified (0.0.0.0/8: RFC 1122 §3.2.1.3). All of
    /// it at once, for every packet.
    /// </summary>
    public readonly bool IsStation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (!IsIPv4)
                return (byte)_first != 0xFF && (_first != 0 || (_second & ~(1UL << 56)) != 0);
            uint first = (byte)(_second >> 32);
            return first - 1 < 0xDF && first != 127;
        }
    }

    public readonly bool Equals(LinkAddress other) => _first == other._first && _second == other._second;

    public override readonly bool Equals(object? obj) => obj is LinkAddress other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(_first, _second);

    /// <summary>
    /// A hash for tables, the sum of two products whose highest bits count ("multiply-shift"): who does not know the factors, which are odd
    /// and random, cannot choose addresses that meet in one place.
    /// </summary>
    public readonly ulong Hash(ulong first, ulong second) => (_first * first) + (_second * second);

    /// <summary>Whether this and <paramref name="prefix"/> are the same where <paramref name="mask"/> has ones.</summary>
    public readonly bool IsIn(in LinkAddress prefix, in LinkAddress mask) =>
        (((_first ^ prefix._first) & mask._first) | ((_second ^ prefix._second) & mask._second)) == 0;

    /// <summary>Whether the bits are all ones, or all zeros, where <paramref name="mask"/> has zeros.</summary>
    public readonly bool IsFirstOrLastOf(in LinkAddress mask) =>
        ((_first & ~mask._first) | (_second & ~mask._second)) == 0 || ((_first | mask._first) & (_second | mask._second)) == ulong.MaxValue;

    /// <summary>Zeros in a mask.</summary>
    public readonly int Zeros => 128 - System.Numerics.BitOperations.PopCount(_first) - System.Numerics.BitOperations.PopCount(_second);

    /// <summary>So many ones, then zeros.</summary>
    public static LinkAddress Mask(int length)
    {
        LinkAddress mask = default;
        byte* bytes = (byte*)&mask;
        for (int i = 0; i < 16; i++)
            bytes[i] = (byte)(0xFF00 >> Math.Clamp(length - (8 * i), 0, 8));
        return mask;
    }
}
