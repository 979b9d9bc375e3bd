using System.Buffers.Binary;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>Packets for the benchmark to send.</summary>
internal static class PlainPacket
{
    public const byte HopLimit = 64, Udp = 17, Esp = 50;

    /// <summary>Writes the header of an IPv4 packet that fills a span; its payload stays as it is.</summary>
    public static void WriteHeader(Span<byte> packet, byte protocol, uint source, uint destination)
    {
        packet[..20].Clear();
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet[6..], 0x4000);
        packet[8] = HopLimit;
        packet[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(packet[12..], source);
        BinaryPrimitives.WriteUInt32BigEndian(packet[16..], destination);
        uint sum = 0;
        for (int i = 0; i < 20; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        sum = (sum & 0xFFFF) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], (ushort)~((sum & 0xFFFF) + (sum >> 16)));
    }
}
