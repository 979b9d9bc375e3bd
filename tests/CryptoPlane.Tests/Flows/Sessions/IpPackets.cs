using System.Buffers.Binary;
using System.Net;
using CryptoPlane.TestKit;
using CryptoPlane.Flows.Sessions;

namespace CryptoPlane.Tests.Flows.Sessions;

/// <summary>IP packets by their parts. Checksums are 0: sessions do not look at them.</summary>
internal static unsafe class IpPackets
{
    public const string A4 = "10.0.0.1", B4 = "192.0.2.9", A6 = "2001:db8::1", B6 = "2001:db8:1::9";

    public static byte[] IPv4(string from, string to, byte protocol, byte[] upper, byte[]? options = null, int offset = 0, bool more = false, ushort id = 7, byte tos = 0)
    {
        options ??= [];
        byte[] packet = new byte[20 + options.Length + upper.Length];
        packet[0] = (byte)(0x45 + (options.Length / 4));
        packet[1] = tos;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)((offset / 8) | (more ? 0x2000 : 0)));
        packet[8] = 64;
        packet[9] = protocol;
        IPAddress.Parse(from).TryWriteBytes(packet.AsSpan(12), out _);
        IPAddress.Parse(to).TryWriteBytes(packet.AsSpan(16), out _);
        options.CopyTo(packet, 20);
        upper.CopyTo(packet, 20 + options.Length);
        return packet;
    }

    public static byte[] IPv6(string from, string to, byte next, byte[] payload, byte trafficClass = 0)
    {
        byte[] packet = new byte[40 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(packet, 0x6000_0000u | ((uint)trafficClass << 20));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payload.Length);
        packet[6] = next;
        packet[7] = 64;
        IPAddress.Parse(from).TryWriteBytes(packet.AsSpan(8), out _);
        IPAddress.Parse(to).TryWriteBytes(packet.AsSpan(24), out _);
        payload.CopyTo(packet, 40);
        return packet;
    }

    public static byte[] Tcp(ushort from, ushort to, byte flags = TcpTracker.Syn, uint sequence = 1, uint acknowledgement = 0, int payload = 0)
    {
        byte[] header = new byte[20 + payload];
        BinaryPrimitives.WriteUInt16BigEndian(header, from);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), to);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(8), acknowledgement);
        header[12] = 0x50;
        header[13] = flags;
        return header;
    }

    public static byte[] Udp(ushort from, ushort to, int payload = 0)
    {
        byte[] header = new byte[8 + payload];
        BinaryPrimitives.WriteUInt16BigEndian(header, from);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), to);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)header.Length);
        return header;
    }

    public static byte[] Icmp(byte type, byte code, ushort id, params byte[] quoted) => [type, code, 0, 0, (byte)(id >> 8), (byte)id, 0, 0, .. quoted];

    /// <summary>An extension header of 8 bytes, or a multiple.</summary>
    public static byte[] Extension(byte next, byte[] rest, int words = 1)
    {
        byte[] header = new byte[8 * words];
        header[0] = next;
        header[1] = (byte)(words - 1);
        return [.. header, .. rest];
    }

    public static byte[] Fragment(byte next, int offset, bool more, uint id, byte[] rest)
    {
        byte[] header = new byte[8];
        header[0] = next;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(offset | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), id);
        return [.. header, .. rest];
    }

    /// <summary>Parses a packet that ends where a page begins that kills the process.</summary>
    public static (bool IsParsed, SessionKey Key, SessionPacket Packet) Parse(ReadOnlySpan<byte> packet)
    {
        using var buffer = new NativeBuffer(packet, GuardPage.Behind);
        bool parsed = SessionParser.TryParse(buffer.Pointer, buffer.Length, out SessionKey key, out SessionPacket seen);
        return (parsed, key, seen);
    }

    /// <summary>Parses the packet that an error quotes.</summary>
    public static (bool IsParsed, SessionKey Key, bool IsFromUpper) ParseQuoted(ReadOnlySpan<byte> packet)
    {
        using var buffer = new NativeBuffer(packet, GuardPage.Behind);
        if (!SessionParser.TryParse(buffer.Pointer, buffer.Length, out _, out SessionPacket error) || (error.Flags & SessionPacketFlags.IcmpError) == 0)
            return default;
        bool parsed = SessionParser.TryParseQuoted(buffer.Pointer, error, out SessionKey key, out bool isFromUpper);
        return (parsed, key, isFromUpper);
    }
}
