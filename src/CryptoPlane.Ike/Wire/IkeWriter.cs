using System.Buffers.Binary;

namespace CryptoPlane.Ike.Wire;

/// <summary>
/// Writes IKE messages and chains of payloads: it links each payload to the one before it and fills lengths in. Either
/// <see cref="Begin"/>, <see cref="Add"/>… and <see cref="ToMessage"/> for a message in the clear, or <see cref="Add"/>… and
/// <see cref="FirstPayload"/> with <see cref="Written"/> for the payloads that go into an Encrypted payload.
/// </summary>
/// <remarks>Every length written here is bounded by what this side configured, so one that does not fit is misuse and throws.</remarks>
internal sealed class IkeWriter
{
    /// <summary>Where an IKE header keeps the type of the first payload.</summary>
    private const int HeaderNextPayloadOffset = 16;

    private byte[] _buffer;
    private int _nextPayloadOffset = -1;
    private IkeHeader? _header;

    public IkeWriter(int capacity = 512) => _buffer = new byte[capacity];

    /// <summary>Bytes written so far, the header included.</summary>
    public int Length { get; private set; }

    /// <summary>What was written so far.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>The type of the first payload; <see cref="PayloadType.None"/> when there is none.</summary>
    public PayloadType FirstPayload { get; private set; }

    /// <summary>Starts a message; to be called first.</summary>
    public IkeWriter Begin(in IkeHeader header)
    {
        if (Length != 0)
            throw new InvalidOperationException("A message begins with its header.");
        _header = header;
        Reserve(IkeHeader.Size);
        _nextPayloadOffset = HeaderNextPayloadOffset;
        return this;
    }

    /// <summary>Appends a payload.</summary>
    public IkeWriter Add(IIkePayload payload)
    {
        int start = BeginPayload(payload.Type);
        payload.WriteBody(this);
        EndLength(start + 2, start);
        return this;
    }

    /// <summary>The finished message, begun with <see cref="Begin"/>.</summary>
    public byte[] ToMessage()
    {
        IkeHeader header = _header ?? throw new InvalidOperationException("A message begins with its header.");
        (header with { NextPayload = FirstPayload }).Write(_buffer, Length);
        return Written.ToArray();
    }

    public void WriteByte(byte value) => Reserve(1)[0] = value;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    public void WriteBytes(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    public void WriteZeros(int count) => Reserve(count).Clear();

    /// <summary>Leaves room for a 16-bit length that <see cref="EndLength"/> fills in.</summary>
    /// <returns>Where the length goes.</returns>
    public int BeginLength()
    {
        WriteUInt16(0);
        return Length - 2;
    }

    /// <summary>Fills in the length at <paramref name="lengthOffset"/>: the bytes from <paramref name="start"/> to here.</summary>
    public void EndLength(int lengthOffset, int start)
    {
        int length = Length - start;
        if (length > ushort.MaxValue)
            throw new InvalidOperationException($"{length} bytes do not fit a payload: shorten the certificate or the list.");
        BinaryPrimitives.WriteUInt16BigEndian(_buffer.AsSpan(lengthOffset), (ushort)length);
    }

    private int BeginPayload(PayloadType type)
    {
        if (FirstPayload == PayloadType.None)
            FirstPayload = type;
        if (_nextPayloadOffset >= 0)
            _buffer[_nextPayloadOffset] = (byte)type;
        _nextPayloadOffset = Length;
        Reserve(PayloadView.HeaderSize).Clear();
        return _nextPayloadOffset;
    }

    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - Length < count)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + count));
        Length += count;
        return _buffer.AsSpan(Length - count, count);
    }
}
