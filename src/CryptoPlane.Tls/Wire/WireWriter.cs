using System.Buffers.Binary;

namespace CryptoPlane.Tls.Wire;

/// <summary>
/// A growing buffer of TLS's presentation language (RFC 8446 §3), with lengths filled in when their scope ends.
/// Control path only; it holds handshake plaintext, which is no secret beyond the certificate.
/// </summary>
internal sealed class WireWriter
{
    private byte[] _buffer;

    public WireWriter(int capacity = 512) => _buffer = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Overwrites bytes that were written.</summary>
    public void Overwrite(int offset, ReadOnlySpan<byte> value) => value.CopyTo(_buffer.AsSpan(offset, Length - offset));

    /// <summary>Empties the buffer and gives its memory up.</summary>
    public void Release()
    {
        Length = 0;
        _buffer = [];
    }

    public void WriteByte(byte value) => Reserve(1)[0] = value;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    public void WriteBytes(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    public void WriteVector8(ReadOnlySpan<byte> value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, byte.MaxValue);
        WriteByte((byte)value.Length);
        WriteBytes(value);
    }

    public void WriteVector16(ReadOnlySpan<byte> value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, ushort.MaxValue);
        WriteUInt16((ushort)value.Length);
        WriteBytes(value);
    }

    /// <summary>Opens a scope whose length goes before it, in <paramref name="lengthBytes"/> bytes.</summary>
    /// <returns>What <see cref="End"/> wants.</returns>
    public LengthScope Begin(int lengthBytes)
    {
        Reserve(lengthBytes);
        return new LengthScope(Length, lengthBytes);
    }

    /// <summary>Opens a handshake message: its type and the length of its body (RFC 8446 §4).</summary>
    public LengthScope BeginMessage(HandshakeType type)
    {
        WriteByte((byte)type);
        return Begin(3);
    }

    /// <summary>Opens an extension: its type and the length of its data (RFC 8446 §4.2).</summary>
    public LengthScope BeginExtension(ExtensionType type)
    {
        WriteUInt16((ushort)type);
        return Begin(2);
    }

    /// <summary>Closes the scope opened last, and fills in its length.</summary>
    public void End(LengthScope scope)
    {
        int length = Length - scope.Start;
        if (length >> (8 * scope.LengthBytes) != 0)
            throw new InvalidOperationException($"{length} bytes do not fit a length field of {scope.LengthBytes} bytes: shorten the certificate chain or the list of protocols.");
        for (int i = 1; i <= scope.LengthBytes; i++)
        {
            _buffer[scope.Start - i] = (byte)length;
            length >>= 8;
        }
    }

    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - Length < count)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + count));
        Length += count;
        return _buffer.AsSpan(Length - count, count);
    }

    /// <summary>Where a scope's content starts, and how long the length field before it is.</summary>
    public readonly record struct LengthScope(int Start, int LengthBytes);
}
