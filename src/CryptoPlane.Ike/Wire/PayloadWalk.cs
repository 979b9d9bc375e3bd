using System.Buffers.Binary;

namespace CryptoPlane.Ike.Wire;

/// <summary>
/// Walks a chain of payloads without looking into them and without allocating (RFC 7296 §3.2). It ends at the first error, after the
/// last payload, or after an Encrypted payload, which has to be the last one (§3.14).
/// </summary>
internal ref struct PayloadWalk(PayloadType first, ReadOnlySpan<byte> chain)
{
    /// <summary>
    /// More payloads than any exchange needs (IKE_AUTH with a certificate chain, many additional addresses and vendor IDs), and few enough
    /// that a message of empty payloads costs little.
    /// </summary>
    public const int MaximumPayloads = 128;

    private const byte CriticalBit = 0x80;

    private readonly ReadOnlySpan<byte> _chain = chain;
    private PayloadType _next = first;
    private int _offset;
    private int _count;

    /// <summary>
    /// Why the walk ended, once <see cref="TryRead"/> has returned false; <see cref="IkeParseError.None"/>: every byte was walked.
    /// </summary>
    public IkeParseError Error { get; private set; }

    /// <summary>The type of the payload at which the walk ended.</summary>
    public readonly PayloadType Current => _next;

    /// <summary>Takes the next payload.</summary>
    /// <returns>False at the end, whatever <see cref="Error"/> says about it.</returns>
    public bool TryRead(out PayloadView payload)
    {
        payload = default;
        if (Error != IkeParseError.None)
            return false;
        ReadOnlySpan<byte> rest = _chain[_offset..];
        if (_next == PayloadType.None)
        {
            if (!rest.IsEmpty)
                Error = IkeParseError.TrailingBytes;
            return false;
        }
        if (_count == MaximumPayloads)
            return Fail(IkeParseError.TooManyPayloads);
        if (rest.Length < PayloadView.HeaderSize)
            return Fail(IkeParseError.Truncated);
        int length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        if (length < PayloadView.HeaderSize || length > rest.Length)
            return Fail(IkeParseError.BadPayloadLength);
        bool isEncrypted = _next is PayloadType.Encrypted or PayloadType.EncryptedFragment;
        if (isEncrypted && length != rest.Length)
            return Fail(IkeParseError.TrailingBytes);
        payload = new PayloadView(_next, (PayloadType)rest[0], (rest[1] & CriticalBit) != 0, _offset, rest[PayloadView.HeaderSize..length]);
        _count++;
        _offset += length;
        _next = isEncrypted ? PayloadType.None : payload.NextPayload;
        return true;
    }

    private bool Fail(IkeParseError error)
    {
        Error = error;
        return false;
    }
}
