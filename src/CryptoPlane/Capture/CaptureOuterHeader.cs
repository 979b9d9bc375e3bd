using System.Buffers.Binary;
using CryptoPlane.Ports;

namespace CryptoPlane.Capture;

/// <summary>
/// Writes the outer headers that the kernel keeps to itself, of the addresses that are known, so that a reader finds ESP where it looks
/// for it. Identification, hop limit, traffic class and the UDP checksum are not those of the wire.
/// </summary>
public static class CaptureOuterHeader
{
    /// <summary>Bytes of the longest header: IPv6 and UDP.</summary>
    public const int MaxLength = IPv6Length + UdpLength;

    private const int IPv4Length = 20, IPv6Length = 40, UdpLength = 8;
    private const byte Udp = 17, Esp = 50, HopLimit = 64;

    /// <summary>Writes the headers before a packet.</summary>
    /// <param name="record">The packet.</param>
    /// <param name="local">This end.</param>
    /// <param name="destination">Room for <see cref="MaxLength"/> bytes.</param>
    /// <returns>How many bytes were written; 0 where the packet has its headers.</returns>
    public static int Write(in CaptureRecord record, in PacketEndpoint local, Span<byte> destination)
    {
        if (record.Framing is not (CaptureFraming.UdpPayload or CaptureFraming.Esp))
            return 0;
        bool udp = record.Framing == CaptureFraming.UdpPayload;
        bool incoming = record.Direction == CaptureDirection.In;
        PacketEndpoint source = incoming ? record.Peer : local, target = incoming ? local : record.Peer;
        int payload = record.OriginalLength + (udp ? UdpLength : 0);
        int ip = (record.Peer.IpVersion != 0 ? record.Peer.IpVersion : local.IpVersion) == 6
            ? WriteIPv6(destination, in source, in target, payload, udp ? Udp : Esp)
            : WriteIPv4(destination, in source, in target, payload, udp ? Udp : Esp);
        if (!udp)
            return ip;
        Span<byte> header = destination.Slice(ip, UdpLength);
        BinaryPrimitives.WriteUInt16BigEndian(header, source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], target.Port);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)payload);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], 0);
        return ip + UdpLength;
    }

    private static unsafe int WriteIPv4(Span<byte> header, in PacketEndpoint source, in PacketEndpoint target, int payload, byte protocol)
    {
        header[..IPv4Length].Clear();
        header[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(IPv4Length + payload));
        header[8] = HopLimit;
        header[9] = protocol;
        CopyAddress(in source, header.Slice(12, 4));
        CopyAddress(in target, header.Slice(16, 4));
        uint sum = 0;
        for (int i = 0; i < IPv4Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], (ushort)~sum);
        return IPv4Length;
    }

    private static int WriteIPv6(Span<byte> header, in PacketEndpoint source, in PacketEndpoint target, int payload, byte protocol)
    {
        header[..IPv6Length].Clear();
        header[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)payload);
        header[6] = protocol;
        header[7] = HopLimit;
        CopyAddress(in source, header.Slice(8, 16));
        CopyAddress(in target, header.Slice(24, 16));
        return IPv6Length;
    }

    private static unsafe void CopyAddress(in PacketEndpoint end, Span<byte> destination)
    {
        fixed (byte* address = end.Address)
            new ReadOnlySpan<byte>(address, destination.Length).CopyTo(destination);
    }
}
