using System.Runtime.CompilerServices;
using static CryptoPlane.IO.Offload.HeaderFields;

namespace CryptoPlane.IO.Offload;

/// <summary>
/// A TCP or UDP packet of up to 64 KiB that stands for many (TSO, USO), and the place up to which it has been cut: the work that a
/// network card does behind a kernel that offloads segmentation.
/// </summary>
/// <remarks>The bytes stay where they are, in the port's memory, until the last segment is written.</remarks>
internal unsafe struct SuperPacket
{
    private byte* _packet;
    private int _transport;
    private int _headers;
    private int _payload;
    private int _segmentSize;
    private int _done;
    private ushort _identification;
    private uint _sequence;
    private byte _tcpFlags;
    private bool _isTcp;
    private bool _isIPv6;

    /// <summary>The pseudo-header's sum without the length: addresses and protocol, as the kernel left it in the checksum field.</summary>
    private ulong _pseudoSum;

    /// <summary>Whether segments are left to be written.</summary>
    public readonly bool HasMore => _done < _payload;

    /// <summary>Bytes of the next segment, headers included.</summary>
    public readonly int NextLength => _headers + Math.Min(_segmentSize, _payload - _done);

    /// <summary>Checks a packet that the kernel gave with a segmentation type.</summary>
    /// <param name="header">The virtio header.</param>
    /// <param name="packet">The IP packet.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="result">Ready to be cut.</param>
    /// <returns>False if the headers contradict themselves or one another; nothing outside the packet was read.</returns>
    public static bool TryParse(in VirtioNetHeader header, byte* packet, int length, out SuperPacket result)
    {
        result = default;
        int transport = header.ChecksumStart;
        int type = header.GsoType & ~VirtioNetHeader.GsoEcn;
        if (header.SegmentSize == 0 || (header.Flags & VirtioNetHeader.NeedsChecksum) == 0 || length < IPv4HeaderSize)
            return false;

        bool isIPv6 = packet[0] >> 4 == 6;
        if (isIPv6)
        {
            // Extension headers between the two are copied as they are.
            if (transport < IPv6HeaderSize)
                return false;
        }
        else if (packet[0] >> 4 != 4 || transport < IPv4HeaderSize || transport != (packet[0] & 15) * 4)
        {
            return false;
        }

        bool isTcp = type != VirtioNetHeader.GsoUdp;
        if (isTcp && type != (isIPv6 ? VirtioNetHeader.GsoTcp6 : VirtioNetHeader.GsoTcp4))
            return false;
        int fixedHeader = isTcp ? TcpHeaderSize : UdpHeaderSize;
        int checksum = isTcp ? TcpChecksum : UdpChecksum;
        if (transport + fixedHeader > length || header.ChecksumOffset != checksum)
            return false;
        int headers = transport + (isTcp ? (packet[transport + TcpDataOffset] >> 4) * 4 : UdpHeaderSize);
        if (headers < transport + fixedHeader || headers >= length || length - transport > ushort.MaxValue)
            return false;

        result._packet = packet;
        result._transport = transport;
        result._headers = headers;
        result._payload = length - headers;
        result._segmentSize = header.SegmentSize;
        result._isTcp = isTcp;
        result._isIPv6 = isIPv6;
        result._identification = isIPv6 ? (ushort)0 : Read16(packet + IPv4Identification);
        if (isTcp)
        {
            result._sequence = Read32(packet + transport + TcpSequence);
            result._tcpFlags = packet[transport + TcpFlags];
        }
        // RFC 1624: subtracting a word is adding its complement.
        result._pseudoSum = Unsafe.ReadUnaligned<ushort>(packet + transport + checksum)
            + (ulong)(ushort)~InternetChecksum.Word((ushort)(length - transport));
        return true;
    }

    /// <summary>Writes the next segment: a packet of its own, with all lengths and checksums right.</summary>
    /// <param name="destination">Room for <see cref="NextLength"/> bytes, outside the super-packet.</param>
    /// <returns>The packet's bytes.</returns>
    public int WriteNext(byte* destination)
    {
        int chunk = Math.Min(_segmentSize, _payload - _done);
        int length = _headers + chunk;
        bool last = _done + chunk == _payload;
        // Sound: headers + payload = the length that TryParse checked; the caller vouches for the destination.
        Buffer.MemoryCopy(_packet, destination, _headers, _headers);
        Buffer.MemoryCopy(_packet + _headers + _done, destination + _headers, chunk, chunk);

        if (_isIPv6)
        {
            Write16(destination + IPv6PayloadLength, (ushort)(length - IPv6HeaderSize));
        }
        else
        {
            Write16(destination + IPv4TotalLength, (ushort)length);
            Write16(destination + IPv4Identification, (ushort)(_identification + (_done / _segmentSize)));
            WriteIPv4Checksum(destination, _transport);
        }

        byte* transport = destination + _transport;
        int covered = length - _transport;
        byte* checksumField;
        if (_isTcp)
        {
            Write32(transport + TcpSequence, _sequence + (uint)_done);
            int flags = _tcpFlags;
            if (!last)
                flags &= ~(Fin | Push);
            if (_done > 0)
                flags &= ~CongestionWindowReduced;
            transport[TcpFlags] = (byte)flags;
            checksumField = transport + TcpChecksum;
        }
        else
        {
            Write16(transport + UdpLength, (ushort)covered);
            checksumField = transport + UdpChecksum;
        }
        Unsafe.WriteUnaligned(checksumField, (ushort)0);
        ushort checksum = InternetChecksum.Complement(
            _pseudoSum + InternetChecksum.Word((ushort)covered) + InternetChecksum.Sum(transport, covered));
        // RFC 768: a computed zero is sent as all ones.
        Unsafe.WriteUnaligned(checksumField, checksum == 0 && !_isTcp ? (ushort)0xFFFF : checksum);
        _done += chunk;
        return length;
    }
}
