using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>
/// An address of a session in 16 unmanaged bytes: two numbers in host order, IPv4 as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2), so that both
/// families compare and hash alike.
/// </summary>
/// <param name="High">The first 64 bits; 0 for IPv4.</param>
/// <param name="Low">The last 64 bits; for IPv4 0x0000_FFFF and the 32 bits.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SessionAddress(ulong High, ulong Low)
{
    private const ulong MappedPrefix = 0xFFFF_0000_0000;

    /// <summary>Whether it stands for an IPv4 address.</summary>
    public bool IsIPv4 => High == 0 && Low >> 32 == 0xFFFF;

    /// <summary>An IPv4 address by its 32 bits in host order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SessionAddress FromIPv4(uint address) => new(0, MappedPrefix | address);

    /// <summary>Converts the framework's form. Control paths.</summary>
    public static SessionAddress From(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes))
            : new SessionAddress(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
    }

    /// <summary>Converts to the framework's form: IPv4 where it stands for that. Control paths.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        Write(bytes);
        return new IPAddress(IsIPv4 ? bytes[12..] : bytes);
    }

    /// <summary>Writes the 16 bytes in network order, IPv4 as IPv4-mapped.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Low);
    }

    /// <summary>The address as text. Control paths.</summary>
    public override string ToString() => ToIPAddress().ToString();
}
