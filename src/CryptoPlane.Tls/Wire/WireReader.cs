using System.Buffers.Binary;

namespace CryptoPlane.Tls.Wire;

/// <summary>A cursor over untrusted bytes in TLS's presentation language (RFC 8446 §3). Each step succeeds or leaves the cursor where it was.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    /// <summary>True when every byte was read: RFC 8446 §6.2 calls trailing bytes a decode error.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    public bool TryReadByte(out byte value)
    {
        if (_rest.IsEmpty)
        {
            value = 0;
            return false;
        }
        value = _rest[0];
        _rest = _rest[1..];
        return true;
    }

    public bool TryReadUInt16(out ushort value)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(_rest, out value))
            return false;
        _rest = _rest[2..];
        return true;
    }

    public bool TryReadBytes(int count, out ReadOnlySpan<byte> value)
    {
        if (_rest.Length < count)
        {
            value = default;
            return false;
        }
        value = _rest[..count];
        _rest = _rest[count..];
        return true;
    }

    /// <summary>Reads a vector behind a length of one byte.</summary>
    public bool TryReadVector8(out ReadOnlySpan<byte> value) => TryReadVector(1, out value);

    /// <summary>Reads a vector behind a length of two bytes.</summary>
    public bool TryReadVector16(out ReadOnlySpan<byte> value) => TryReadVector(2, out value);

    /// <summary>Reads a vector behind a length of three bytes.</summary>
    public bool TryReadVector24(out ReadOnlySpan<byte> value) => TryReadVector(3, out value);

    private bool TryReadVector(int lengthBytes, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (_rest.Length < lengthBytes)
            return false;
        int length = 0;
        for (int i = 0; i < lengthBytes; i++)
            length = (length << 8) | _rest[i];
        if (_rest.Length - lengthBytes < length)
            return false;
        value = _rest.Slice(lengthBytes, length);
        _rest = _rest[(lengthBytes + length)..];
        return true;
    }
}
