using System.Buffers;
using System.IO.Compression;

namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a CompressedCertificate's body (RFC 8879 §4), and how to write one.</summary>
internal readonly ref struct CompressedCertificateMessage
{
    /// <summary>Best but one of brotli's qualities: the result is kept, and the best takes ten times as long.</summary>
    private const int BrotliQuality = 10, BrotliWindow = 16;

    private readonly ReadOnlySpan<byte> _compressed;

    private CompressedCertificateMessage(TlsCertificateCompression algorithm, int length, ReadOnlySpan<byte> compressed)
    {
        Algorithm = algorithm;
        Length = length;
        _compressed = compressed;
    }

    /// <summary>What the sender says: it may be unknown.</summary>
    public TlsCertificateCompression Algorithm { get; }

    /// <summary>Bytes of the Certificate's body, as the sender says: up to 2^24.</summary>
    public int Length { get; }

    public static TlsError? Parse(ReadOnlySpan<byte> body, out CompressedCertificateMessage message)
    {
        message = default;
        var reader = new WireReader(body);
        if (!reader.TryReadUInt16(out ushort algorithm) || !reader.TryReadBytes(3, out ReadOnlySpan<byte> length)
            || !reader.TryReadVector24(out ReadOnlySpan<byte> compressed) || compressed.IsEmpty || !reader.IsAtEnd)
            return TlsError.Decode("The CompressedCertificate is malformed.");
        message = new CompressedCertificateMessage((TlsCertificateCompression)algorithm, (length[0] << 16) | (length[1] << 8) | length[2], compressed);
        return null;
    }

    /// <summary>Decompresses, and never writes more than there is room for.</summary>
    /// <param name="body">As long as <see cref="Length"/>, which the caller has bounded.</param>
    /// <returns>False if the data is none of the algorithm's, or gives another length.</returns>
    public bool TryDecompress(Span<byte> body) => Algorithm switch
    {
        TlsCertificateCompression.Brotli => TryDecompressBrotli(body),
        TlsCertificateCompression.Zlib => TryDecompressZlib(body),
        _ => false,
    };

    /// <summary>Makes a whole message.</summary>
    /// <param name="algorithm">Which one.</param>
    /// <param name="body">A Certificate's body.</param>
    /// <returns>Null if it would not be shorter than the Certificate.</returns>
    public static byte[]? Make(TlsCertificateCompression algorithm, ReadOnlySpan<byte> body)
    {
        byte[] compressed = algorithm == TlsCertificateCompression.Brotli ? CompressBrotli(body) : CompressZlib(body);
        var writer = new WireWriter(compressed.Length + 16);
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.CompressedCertificate);
        writer.WriteUInt16((ushort)algorithm);
        writer.WriteBytes([(byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length]);
        WireWriter.LengthScope content = writer.Begin(3);
        writer.WriteBytes(compressed);
        writer.End(content);
        writer.End(message);
        return writer.Length < body.Length ? writer.Written.ToArray() : null;
    }

    private bool TryDecompressBrotli(Span<byte> body)
    {
        using var decoder = new BrotliDecoder();
        OperationStatus status = decoder.Decompress(_compressed, body, out int consumed, out int written);
        return status == OperationStatus.Done && consumed == _compressed.Length && written == body.Length;
    }

    private bool TryDecompressZlib(Span<byte> body)
    {
        using var source = new LastByteApart(_compressed);
        using var stream = new ZLibStream(source, CompressionMode.Decompress);
        try
        {
            Span<byte> beyond = stackalloc byte[1];
            return stream.ReadAtLeast(body, body.Length, throwOnEndOfStream: false) == body.Length && stream.Read(beyond) == 0 && source.IsAtEnd;
        }
        // Besides what is no zlib, one that wants a dictionary: that is an IOException of the framework's own.
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return false;
        }
    }

    private static byte[] CompressBrotli(ReadOnlySpan<byte> body)
    {
        byte[] buffer = new byte[BrotliEncoder.GetMaxCompressedLength(body.Length)];
        return BrotliEncoder.TryCompress(body, buffer, out int length, BrotliQuality, BrotliWindow)
            ? buffer[..length]
            : throw new InvalidOperationException("Brotli did not keep to the length that it promises.");
    }

    private static byte[] CompressZlib(ReadOnlySpan<byte> body)
    {
        using var target = new MemoryStream();
        using (var stream = new ZLibStream(target, CompressionLevel.SmallestSize, leaveOpen: true))
            stream.Write(body);
        return target.ToArray();
    }

    /// <summary>
    /// Shows whether a stream of zlib ends with its last byte, of which ZLibStream says nothing: it passes over what is behind the end in the read
    /// that the end came with, asks for no other read, and takes data without the checksum. So the last byte comes in a read of its own, and
    /// there is one more behind it: the end is right if that one alone is left.
    /// </summary>
    private sealed class LastByteApart(ReadOnlySpan<byte> data) : MemoryStream([.. data, 0], writable: false)
    {
        public bool IsAtEnd => Position == Length - 1;

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Bound(count));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Bound(buffer.Length)]);

        private int Bound(int count) => (int)Math.Min(count, Math.Max(1, Length - 2 - Position));
    }
}
