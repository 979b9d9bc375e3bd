using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Dtls;

/// <summary>Handshake messages of DTLS 1.2 that TLS 1.3 does not have (RFC 5246 §7.4, RFC 6347 §4.3.2).</summary>
internal static class DtlsHandshakeType
{
    public const HandshakeType HelloVerifyRequest = (HandshakeType)3;
    public const HandshakeType ServerHelloDone = (HandshakeType)14;
    public const HandshakeType ClientKeyExchange = (HandshakeType)16;
}

/// <summary>The 12 bytes in front of a handshake message or of a fragment of one (RFC 6347 §4.2.2).</summary>
/// <param name="Type">The message.</param>
/// <param name="Length">Bytes of the whole message's body.</param>
/// <param name="MessageSequence">The message's number.</param>
/// <param name="FragmentOffset">Where the fragment lies in the body.</param>
/// <param name="FragmentLength">Bytes of the fragment.</param>
internal readonly record struct DtlsHandshakeHeader(HandshakeType Type, int Length, ushort MessageSequence, int FragmentOffset, int FragmentLength)
{
    public const int Size = 12;

    /// <summary>Whether the fragment is the whole message.</summary>
    public bool IsWhole => FragmentLength == Length;

    /// <summary>Takes the next fragment of a record's content.</summary>
    /// <returns>False for what is no whole fragment within its message.</returns>
    public static bool TryParse(ReadOnlySpan<byte> source, out DtlsHandshakeHeader header, out ReadOnlySpan<byte> fragment)
    {
        header = default;
        fragment = default;
        if (source.Length < Size)
            return false;
        header = new DtlsHandshakeHeader(
            (HandshakeType)source[0], UInt24(source[1..]), (ushort)((source[4] << 8) | source[5]), UInt24(source[6..]), UInt24(source[9..]));
        if (header.FragmentLength > source.Length - Size || header.FragmentOffset + header.FragmentLength > header.Length)
            return false;
        fragment = source.Slice(Size, header.FragmentLength);
        return true;
    }

    public void Write(Span<byte> destination)
    {
        destination[0] = (byte)Type;
        Write24(destination[1..], Length);
        destination[4] = (byte)(MessageSequence >> 8);
        destination[5] = (byte)MessageSequence;
        Write24(destination[6..], FragmentOffset);
        Write24(destination[9..], FragmentLength);
    }

    /// <summary>A whole message with its header, as the transcript wants it: as if it had come in one fragment (RFC 6347 §4.2.6).</summary>
    public static byte[] Whole(HandshakeType type, ushort messageSequence, ReadOnlySpan<byte> body)
    {
        byte[] message = new byte[Size + body.Length];
        new DtlsHandshakeHeader(type, body.Length, messageSequence, 0, body.Length).Write(message);
        body.CopyTo(message.AsSpan(Size));
        return message;
    }

    private static int UInt24(ReadOnlySpan<byte> source) => (source[0] << 16) | (source[1] << 8) | source[2];

    private static void Write24(Span<byte> destination, int value)
    {
        destination[0] = (byte)(value >> 16);
        destination[1] = (byte)(value >> 8);
        destination[2] = (byte)value;
    }
}
