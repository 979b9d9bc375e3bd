using System.Buffers.Binary;

namespace CryptoPlane.TestKit;

/// <summary>
/// Writes a capture file (classic pcap, link type RAW) of whole IP packets, for tshark and for people who want to look into a
/// failed test.
/// </summary>
public sealed class PcapWriter : IDisposable
{
    private const uint Magic = 0xA1B2C3D4;
    private const uint LinkTypeRaw = 101;
    private const int SnapLength = 65_535;

    private readonly FileStream _file;
    private uint _packets;

    /// <summary>Creates the file, or replaces it.</summary>
    public PcapWriter(string path)
    {
        _file = File.Create(path);
        Span<byte> header = stackalloc byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], SnapLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], LinkTypeRaw);
        _file.Write(header);
    }

    /// <summary>Appends an IPv4 or IPv6 packet. Packets are a millisecond apart, so that a capture is the same on every run.</summary>
    public void Write(ReadOnlySpan<byte> packet)
    {
        Span<byte> header = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, _packets / 1000);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], _packets % 1000 * 1000);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], packet.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], packet.Length);
        _file.Write(header);
        _file.Write(packet);
        _packets++;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
