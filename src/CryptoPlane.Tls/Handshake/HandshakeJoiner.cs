using System.Buffers;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// Puts handshake messages together out of records, which may cut and join them in every way (RFC 8446 §5.1).
/// Holds a pooled buffer only while there is something in it.
/// </summary>
internal sealed class HandshakeJoiner
{
    /// <summary>Longest body of a Certificate, a CertificateRequest (some servers name every authority) or a NewSessionTicket: 64 KiB.</summary>
    public const int MaxLongSize = 65_536;

    /// <summary>Longest body of any other message: room for a ClientHello with post-quantum shares, tickets and GREASE.</summary>
    public const int MaxMessageSize = 16_384;

    private byte[] _buffer = [];
    private int _start;
    private int _end;

    /// <summary>Whether there is a message or a part of one that was not taken: RFC 8446 §5.1 forbids that at a change of keys.</summary>
    public bool IsEmpty => _start == _end;

    /// <summary>Adds the content of a handshake record. Call it once every whole message before it was taken.</summary>
    public void Append(ReadOnlySpan<byte> content)
    {
        int length = _end - _start;
        if (_buffer.Length - _end < content.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(length + content.Length);
            _buffer.AsSpan(_start, length).CopyTo(larger);
            Release();
            _buffer = larger;
            _end = length;
        }
        content.CopyTo(_buffer.AsSpan(_end));
        _end += content.Length;
    }

    /// <summary>Takes the next whole message.</summary>
    /// <param name="message">A view into the buffer, valid until the next call of <see cref="Append"/> or <see cref="Release"/>.</param>
    /// <param name="error">Set if the next message is longer than allowed.</param>
    /// <returns>False if there is none yet.</returns>
    public bool TryTake(out HandshakeMessage message, out TlsError? error)
    {
        message = default;
        error = null;
        ReadOnlySpan<byte> rest = _buffer.AsSpan(_start, _end - _start);
        if (rest.Length < HandshakeMessage.HeaderSize)
            return false;
        int length = (rest[1] << 16) | (rest[2] << 8) | rest[3];
        int limit = (HandshakeType)rest[0] is HandshakeType.Certificate or HandshakeType.CompressedCertificate or HandshakeType.CertificateRequest or HandshakeType.NewSessionTicket ? MaxLongSize : MaxMessageSize;
        if (length > limit)
        {
            error = TlsError.Illegal($"A handshake message is longer than {limit} bytes.");
            return false;
        }
        int whole = HandshakeMessage.HeaderSize + length;
        if (rest.Length < whole)
            return false;
        message = new HandshakeMessage(rest[..whole]);
        _start += whole;
        return true;
    }

    /// <summary>Gives the buffer back, erased: handshake messages may hold a certificate that the handshake hides.</summary>
    public void Release()
    {
        if (_buffer.Length != 0)
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = [];
        _start = _end = 0;
    }
}
