using System.Buffers.Binary;
using System.Net;

namespace CryptoPlane.Esp.Tests.Selectors;

/// <summary>Inner packets with chosen addresses, protocols, ports, fragments and extension headers.</summary>
internal static class SelectorPackets
{
    public const byte Icmp = 1, Tcp = 6, Udp = 17, IcmpV6 = 58, Sctp = 132, MobilityHeader = 135;

    /// <summary>An IPv4 packet.</summary>
    /// <param name="fragmentOffset">In bytes.</param>
    public static byte[] IPv4(string source, string destination, byte protocol, byte[] payload, int fragmentOffset = 0, int options = 0)
    {
        byte[] packet = [.. new byte[20 + options], .. payload];
        packet[0] = (byte)(0x45 + (options / 4));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)(fragmentOffset / 8));
        packet[8] = 64;
        packet[9] = protocol;
        IPAddress.Parse(source).TryWriteBytes(packet.AsSpan(12), out _);
        IPAddress.Parse(destination).TryWriteBytes(packet.AsSpan(16), out _);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), InnerPackets.Checksum(packet.AsSpan(0, 20 + options)));
        return packet;
    }

    /// <summary>An IPv6 packet whose payload begins with <paramref name="nextHeader"/>.</summary>
    public static byte[] IPv6(string source, string destination, byte nextHeader, byte[] payload)
    {
        byte[] packet = [0x60, .. new byte[39], .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payload.Length);
        packet[6] = nextHeader;
        packet[7] = 64;
        IPAddress.Parse(source).TryWriteBytes(packet.AsSpan(8), out _);
        IPAddress.Parse(destination).TryWriteBytes(packet.AsSpan(24), out _);
        return packet;
    }

    /// <summary>Ports, and what a header of the transport has behind them.</summary>
    public static byte[] WithPorts(ushort source, ushort destination, int more = 16) =>
        [(byte)(source >> 8), (byte)source, (byte)(destination >> 8), (byte)destination, .. new byte[more]];

    /// <summary>An ICMP message.</summary>
    public static byte[] Message(byte type, byte code = 0) => [type, code, .. new byte[6]];

    /// <summary>An extension header of so many words of eight bytes.</summary>
    public static byte[] Extension(byte nextHeader, int words = 1) => [nextHeader, (byte)(words - 1), .. new byte[(8 * words) - 2]];

    /// <summary>A fragment header.</summary>
    public static byte[] Fragment(byte nextHeader, int offset) => [nextHeader, 0, (byte)(offset >> 8), (byte)(offset | 1), 0, 0, 0, 7];
}
