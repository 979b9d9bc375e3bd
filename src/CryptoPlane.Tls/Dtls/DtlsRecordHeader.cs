using System.Buffers.Binary;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Dtls;

/// <summary>The 13 bytes in front of a record of DTLS 1.2 (RFC 6347 §4.1).</summary>
/// <param name="Type">The content type.</param>
/// <param name="Epoch">Which keys: 0 for none, 1 behind the first ChangeCipherSpec.</param>
/// <param name="Sequence">The record's number in its epoch: 48 bits.</param>
/// <param name="PayloadLength">Bytes behind the header.</param>
public readonly record struct DtlsRecordHeader(TlsContentType Type, ushort Epoch, ulong Sequence, int PayloadLength)
{
    /// <summary>Largest sequence number: RFC 6347 §4.1 forbids it to wrap.</summary>
    public const ulong MaxSequence = (1UL << 48) - 1;

    /// <summary>DTLS 1.2: the one's complement of 1.2.</summary>
    public const ushort Version = 0xFEFD;

    private const byte MajorVersion = 0xFE;

    /// <summary>Bytes of the whole record.</summary>
    public int RecordLength => DtlsRecordSizes.Header + PayloadLength;

    /// <summary>Looks at the record at the front of a datagram; behind it, at <see cref="RecordLength"/>, there may be another one.</summary>
    /// <param name="source">The datagram, or what is left of it.</param>
    /// <param name="header">The header, where there is one.</param>
    /// <returns>False for what is no whole record of DTLS: all of it is to be dropped (RFC 6347 §4.1.2.7).</returns>
    public static bool TryParse(ReadOnlySpan<byte> source, out DtlsRecordHeader header)
    {
        header = default;
        if (source.Length < DtlsRecordSizes.Header)
            return false;
        var type = (TlsContentType)source[0];
        if (type is not (TlsContentType.ChangeCipherSpec or TlsContentType.Alert or TlsContentType.Handshake or TlsContentType.ApplicationData))
            return false;
        ushort epoch = BinaryPrimitives.ReadUInt16BigEndian(source[3..]);
        // RFC 6347 §4.2.1: a ClientHello may come in records of DTLS 1.0, so that plaintext is looked at by its major version only.
        if (source[1] != MajorVersion || (epoch != 0 && source[2] != (Version & 0xFF)))
            return false;
        ulong sequence = BinaryPrimitives.ReadUInt64BigEndian(source[3..]) & MaxSequence;
        int length = BinaryPrimitives.ReadUInt16BigEndian(source[11..]);
        if (length > source.Length - DtlsRecordSizes.Header || length > DtlsRecordSizes.MaxContent + DtlsRecordSizes.MaxOverhead)
            return false;
        header = new DtlsRecordHeader(type, epoch, sequence, length);
        return true;
    }

    /// <summary>Writes a header of DTLS 1.2.</summary>
    /// <param name="destination">At least <see cref="DtlsRecordSizes.Header"/> bytes.</param>
    internal void Write(Span<byte> destination)
    {
        destination[0] = (byte)Type;
        BinaryPrimitives.WriteUInt16BigEndian(destination[1..], Version);
        BinaryPrimitives.WriteUInt64BigEndian(destination[3..], ((ulong)Epoch << 48) | Sequence);
        BinaryPrimitives.WriteUInt16BigEndian(destination[11..], (ushort)PayloadLength);
    }
}
