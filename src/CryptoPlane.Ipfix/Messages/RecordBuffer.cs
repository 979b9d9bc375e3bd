using System.Buffers.Binary;

namespace CryptoPlane.Ipfix.Messages;

/// <summary>One record while it is put together: fields are appended in network order (RFC 7011 §6.1).</summary>
/// <param name="bytes">Where it goes; <see cref="IpfixMessage.MaximumRecord"/> bytes are enough for every record of this assembly.</param>
internal ref struct RecordBuffer(Span<byte> bytes)
{
    private readonly Span<byte> _bytes = bytes;
    private int _length;

    /// <summary>What was appended.</summary>
    public readonly ReadOnlySpan<byte> Written => _bytes[.._length];

    public void Add8(byte value) => _bytes[_length++] = value;

    public void Add16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_bytes[_length..], value);
        _length += 2;
    }

    public void Add32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_bytes[_length..], value);
        _length += 4;
    }

    public void Add64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_bytes[_length..], value);
        _length += 8;
    }

    /// <summary>A field of variable length.</summary>
    public void AddVariable(ReadOnlySpan<byte> value)
    {
        // RFC 7011 §7: one byte of length up to 254, else 255 and two bytes.
        if (value.Length < 255)
        {
            Add8((byte)value.Length);
        }
        else
        {
            Add8(255);
            Add16(checked((ushort)value.Length));
        }
        value.CopyTo(_bytes[_length..]);
        _length += value.Length;
    }

    /// <summary>A field specifier of a template (RFC 7011 §3.2).</summary>
    public void AddSpecifier(in IpfixElement element)
    {
        const ushort enterpriseBit = 0x8000;
        Add16(element.Enterprise == 0 ? element.Id : (ushort)(element.Id | enterpriseBit));
        Add16(element.Length);
        if (element.Enterprise != 0)
            Add32(element.Enterprise);
    }
}
