using System.Buffers.Binary;
using System.Text;

namespace VpnBroker.Tests.Capture;

/// <summary>The blocks of a pcapng file, read strictly: what tshark does not show is checked here.</summary>
internal sealed class PcapngFile
{
    private const uint SectionHeader = 0x0A0D0D0A, InterfaceDescription = 1, InterfaceStatistics = 5, EnhancedPacket = 6;

    public PcapngFile(ReadOnlySpan<byte> bytes)
    {
        Assert.Equal(SectionHeader, BinaryPrimitives.ReadUInt32LittleEndian(bytes));
        while (bytes.Length > 0)
        {
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
            Assert.InRange(length, 12, bytes.Length);
            Assert.Equal(0, length % 4);
            Assert.Equal(length, BinaryPrimitives.ReadInt32LittleEndian(bytes[(length - 4)..]));
            Read(type, bytes[8..(length - 4)]);
            bytes = bytes[length..];
        }
    }

    /// <summary>The interfaces' names.</summary>
    public List<string> Interfaces { get; } = [];

    /// <summary>The packets with their interfaces.</summary>
    public List<(int Interface, byte[] Bytes, int OriginalLength)> Packets { get; } = [];

    /// <summary>What the interfaces have counted, by their names: option numbers 4 (received), 5 (missed), 6 (accepted), 8 (delivered).</summary>
    public Dictionary<string, Dictionary<int, ulong>> Statistics { get; } = [];

    /// <summary>Packets in a file that somebody may be writing: what is not whole yet does not count.</summary>
    public static int CountPackets(ReadOnlySpan<byte> bytes)
    {
        int count = 0;
        while (bytes.Length >= 8 && BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]) is var length && length >= 12 && length <= bytes.Length)
        {
            count += BinaryPrimitives.ReadUInt32LittleEndian(bytes) == EnhancedPacket ? 1 : 0;
            bytes = bytes[length..];
        }
        return count;
    }

    private void Read(uint type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case InterfaceDescription:
                Interfaces.Add(Encoding.UTF8.GetString(Options(body[8..])[2]));
                break;
            case EnhancedPacket:
                int captured = BinaryPrimitives.ReadInt32LittleEndian(body[12..]);
                Packets.Add((BinaryPrimitives.ReadInt32LittleEndian(body), body.Slice(20, captured).ToArray(), BinaryPrimitives.ReadInt32LittleEndian(body[16..])));
                break;
            case InterfaceStatistics:
                Statistics.Add(Interfaces[BinaryPrimitives.ReadInt32LittleEndian(body)],
                    Options(body[12..]).Where(option => option.Key >= 4).ToDictionary(option => option.Key, option => BinaryPrimitives.ReadUInt64LittleEndian(option.Value)));
                break;
        }
    }

    private static Dictionary<int, byte[]> Options(ReadOnlySpan<byte> bytes)
    {
        var options = new Dictionary<int, byte[]>();
        while (true)
        {
            int code = BinaryPrimitives.ReadUInt16LittleEndian(bytes), length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
            if (code == 0)
                return options;
            options[code] = bytes.Slice(4, length).ToArray();
            bytes = bytes[(4 + ((length + 3) & ~3))..];
        }
    }
}
