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

    /// <summary>Whether this is an IPv4 address.</summary>
    public readonly bool IsIPv4 => _first == 0 && (uint)_second == 0xFFFF_0000;

    /// <summary>The address's own bytes: 4, which begin here, for IPv4; 16 for IPv6.</summary>
    public static byte* BytesOf(LinkAddress* address) => (byte*)address + (address->IsIPv4 ? 12 : 0);

    public readonly bool IsZero => (_first | (IsIPv4 ? _second >> 32 : _second)) == 0;

    /// <summary>Whether this is one of a group's addresses, or IPv4's limited broadcast.</summary>
    public readonly bool IsGroup => IsIPv4 ? ((_second >> 32) & 0xF0) is 0xE0 or 0xF0 : (byte)_first == 0xFF;

    /// <summary>fe80::/10 (RFC 4291 §2.5.6).</summary>
    public readonly bool IsIPv6LinkLocal => (byte)_first == 0xFE && (_first >> 8 & 0xC0) == 0x80;

    public readonly bool Equals(LinkAddress other) => _first == other._first && _second == other._second;

    public override readonly bool Equals(object? obj) => obj is LinkAddress other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(_first, _second);

    /// <summary>A hash for tables: neighbours mostly differ in their last bytes.</summary>
    public readonly uint Hash() => (uint)(((_first ^ (_first >> 31) ^ _second ^ (_second >> 29)) * 0x9E37_79B9_7F4A_7C15) >> 32);

    /// <summary>Whether this and <paramref name="prefix"/> are the same where <paramref name="mask"/> has ones.</summary>
    public readonly bool IsIn(in LinkAddress prefix, in LinkAddress mask) =>
        (((_first ^ prefix._first) & mask._first) | ((_second ^ prefix._second) & mask._second)) == 0;

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
