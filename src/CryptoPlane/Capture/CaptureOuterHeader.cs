using System.Buffers.Binary;
using CryptoPlane.Ports;

namespace CryptoPlane.Capture;

/// <summary>
/// Writes the outer headers that the kernel keeps to itself, of the addresses that are known, so that a reader finds ESP where it looks
/// for it. Identification, hop limit, traffic class, the checksums of UDP and TCP, and TCP's window are not those of the wire.
/// </summary>
public static class CaptureOuterHeader
{
    /// <summary>Bytes of the longest header: IPv6 and TCP.</summary>
    public const int MaxLength = IPv6Length + TcpLength;

    private const int IPv4Length = 20, IPv6Length = 40, UdpLength = 8, TcpLength = 20;
    private const byte Tcp = 6, Udp = 17, Esp = 50, HopLimit = 64;

    /// <summary>Writes the headers before a packet.</summary>
    /// <param name="record">The packet.</param>
    /// <param name="local">This end, where the record does not say it.</param>
    /// <param name="destination">Room for <see cref="MaxLength"/> bytes.</param>
    /// <returns>How many bytes were written; 0 where the packet has its headers.</returns>
    public static int Write(in CaptureRecord record, in PacketEndpoint local, Span<byte> destination)
    {
        (byte protocol, int length) = record.Framing switch
        {
            CaptureFraming.UdpPayload => (Udp, UdpLength),
            CaptureFraming.TcpPayload => (Tcp, TcpLength),
            CaptureFraming.Esp => (Esp, 0),
            _ => ((byte)0, 0),
        };
        if (protocol == 0)
            return 0;
        bool incoming = record.Direction == CaptureDirection.In;
        PacketEndpoint here = record.Local.IpVersion != 0 ? record.Local : local;
        PacketEndpoint source = incoming ? record.Peer : here, target = incoming ? here : record.Peer;
        int payload = record.OriginalLength + length;
        int ip = (record.Peer.IpVersion != 0 ? record.Peer.IpVersion : here.IpVersion) == 6
            ? WriteIPv6(destination, in source, in target, payload, protocol)
            : WriteIPv4(destination, in source, in target, payload, protocol);
        if (length == 0)
            return ip;
        Span<byte> header = destination.Slice(ip, length);
        header.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header, source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], target.Port);
        if (protocol == Udp)
            BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)payload);
        else
            WriteTcp(header, in record);
        return ip + length;
    }

    /// <summary>The rest of a TCP header without options (RFC 9293 §3.1): PSH and ACK, as a stack sends data.</summary>
    private static void WriteTcp(Span<byte> header, in CaptureRecord record)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], record.Sequence);
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], record.Acknowledgement);
        header[12] = (TcpLength / 4) << 4;
        header[13] = 0x18;
        BinaryPrimitives.WriteUInt16BigEndian(header[14..], ushort.MaxValue);
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
