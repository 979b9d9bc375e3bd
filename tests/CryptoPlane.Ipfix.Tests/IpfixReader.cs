using System.Buffers.Binary;

namespace CryptoPlane.Ipfix.Tests;

/// <summary>One element of a record as it was read.</summary>
internal readonly record struct ReadField(uint Enterprise, ushort Id, byte[] Value)
{
    public ulong Number => Value.Aggregate(0ul, (sum, part) => (sum << 8) | part);

    public string Text => System.Text.Encoding.UTF8.GetString(Value);
}

/// <summary>A data record as it was read.</summary>
internal sealed record ReadRecord(ushort Template, IReadOnlyList<ReadField> Fields)
{
    public ReadField this[uint enterprise, ushort id] => Fields.First(field => field.Enterprise == enterprise && field.Id == id);
}

/// <summary>Reads IPFIX messages, written from RFC 7011 and apart from the writer. Whatever is not as it must be fails the test.</summary>
internal sealed class IpfixReader
{
    private readonly Dictionary<ushort, List<(uint Enterprise, ushort Id, ushort Length)>> _templates = [];
    private uint? _next;

    public List<ReadRecord> Records { get; } = [];

    public int Messages { get; private set; }

    public int Templates { get; private set; }

    /// <summary>Reads all messages of a stream or file.</summary>
    public void ReadStream(ReadOnlySpan<byte> stream)
    {
        while (!stream.IsEmpty)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(stream[2..]);
            Read(stream[..length]);
            stream = stream[length..];
        }
    }

    public void Read(ReadOnlySpan<byte> message)
    {
        Messages++;
        Assert.Equal(10, BinaryPrimitives.ReadUInt16BigEndian(message));
        Assert.Equal(message.Length, BinaryPrimitives.ReadUInt16BigEndian(message[2..]));
        uint sequence = BinaryPrimitives.ReadUInt32BigEndian(message[8..]);
        Assert.Equal(_next ?? sequence, sequence);
        int before = Records.Count;
        ReadOnlySpan<byte> rest = message[16..];
        Assert.False(rest.IsEmpty);
        while (!rest.IsEmpty)
        {
            ushort id = BinaryPrimitives.ReadUInt16BigEndian(rest);
            ushort length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            Assert.InRange(length, 5, rest.Length);
            ReadSet(id, rest[4..length]);
            rest = rest[length..];
        }
        _next = unchecked(sequence + (uint)(Records.Count - before));
    }

    private void ReadSet(ushort id, ReadOnlySpan<byte> set)
    {
        while (!set.IsEmpty)
        {
            if (id is 2 or 3)
                ReadTemplate(ref set, isOptions: id == 3);
            else
                ReadRecord(id, ref set);
        }
    }

    private void ReadTemplate(ref ReadOnlySpan<byte> set, bool isOptions)
    {
        ushort id = Take16(ref set);
        int count = Take16(ref set);
        if (isOptions)
            Assert.InRange(Take16(ref set), 1, count);
        var fields = new List<(uint, ushort, ushort)>();
        for (int i = 0; i < count; i++)
        {
            ushort element = Take16(ref set);
            ushort length = Take16(ref set);
            uint enterprise = 0;
            if ((element & 0x8000) != 0)
                enterprise = ((uint)Take16(ref set) << 16) | Take16(ref set);
            fields.Add((enterprise, (ushort)(element & 0x7fff), length));
        }
        _templates[id] = fields;
        Templates++;
    }

    private void ReadRecord(ushort id, ref ReadOnlySpan<byte> set)
    {
        Assert.True(_templates.ContainsKey(id), $"Data of template {id} came before it.");
        var fields = new List<ReadField>();
        foreach ((uint enterprise, ushort element, ushort fixedLength) in _templates[id])
        {
            int length = fixedLength;
            if (length == 65535)
            {
                length = set[0];
                set = set[1..];
                if (length == 255)
                    length = Take16(ref set);
            }
            fields.Add(new ReadField(enterprise, element, set[..length].ToArray()));
            set = set[length..];
        }
        Records.Add(new ReadRecord(id, fields));
    }

    private static ushort Take16(ref ReadOnlySpan<byte> from)
    {
        ushort value = BinaryPrimitives.ReadUInt16BigEndian(from);
        from = from[2..];
        return value;
    }
}
