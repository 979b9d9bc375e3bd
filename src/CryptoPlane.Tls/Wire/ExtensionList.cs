namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a message's extensions (RFC 8446 §4.2): well-formed, and no type twice.</summary>
internal readonly ref struct ExtensionList
{
    /// <summary>Most extensions in one message; real clients send some twenty, and the bound keeps the search for duplicates cheap.</summary>
    public const int MaxCount = 256;

    private readonly ReadOnlySpan<byte> _bytes;

    private ExtensionList(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Takes the content of the vector of extensions.</summary>
    public static TlsError? Parse(ReadOnlySpan<byte> vector, out ExtensionList list)
    {
        list = default;
        Span<ushort> seen = stackalloc ushort[MaxCount];
        int count = 0;
        var reader = new WireReader(vector);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadUInt16(out ushort type) || !reader.TryReadVector16(out _))
                return TlsError.Decode("An extension is cut short.");
            // RFC 8446 §4.2: "There MUST NOT be more than one extension of the same type in a given extension block."
            if (seen[..count].Contains(type))
                return TlsError.Illegal("An extension comes twice in one message.");
            if (count == MaxCount)
                return TlsError.Illegal($"A message has more than {MaxCount} extensions.");
            seen[count++] = type;
        }
        list = new ExtensionList(vector);
        return null;
    }

    public bool IsEmpty => _bytes.IsEmpty;

    /// <summary>Finds an extension's data.</summary>
    public bool TryGet(ExtensionType type, out ReadOnlySpan<byte> data)
    {
        foreach (Extension extension in this)
        {
            if (extension.Type == type)
            {
                data = extension.Data;
                return true;
            }
        }
        data = default;
        return false;
    }

    public bool Contains(ExtensionType type) => TryGet(type, out _);

    public Enumerator GetEnumerator() => new(_bytes);

    /// <summary>One extension.</summary>
    public readonly ref struct Extension(ExtensionType type, ReadOnlySpan<byte> data)
    {
        public ExtensionType Type { get; } = type;

        public ReadOnlySpan<byte> Data { get; } = data;
    }

    /// <summary>Walks the extensions in their order.</summary>
    public ref struct Enumerator(ReadOnlySpan<byte> bytes)
    {
        private WireReader _reader = new(bytes);
        private ushort _type;
        private ReadOnlySpan<byte> _data;

        public readonly Extension Current => new((ExtensionType)_type, _data);

        public bool MoveNext() => _reader.TryReadUInt16(out _type) && _reader.TryReadVector16(out _data);
    }
}
