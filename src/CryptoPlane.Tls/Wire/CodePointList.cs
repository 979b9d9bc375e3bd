using System.Buffers.Binary;

namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a list of two-byte code points: suites, groups, signature schemes, versions. Unknown ones (GREASE) are just values.</summary>
internal readonly ref struct CodePointList
{
    private readonly ReadOnlySpan<byte> _bytes;

    private CodePointList(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public int Count => _bytes.Length / 2;

    public ushort this[int index] => BinaryPrimitives.ReadUInt16BigEndian(_bytes[(2 * index)..]);

    /// <summary>Takes the content of a vector: at least one code point, and no half of one.</summary>
    public static bool TryParse(ReadOnlySpan<byte> vector, out CodePointList list)
    {
        bool valid = vector.Length >= 2 && vector.Length % 2 == 0;
        list = valid ? new CodePointList(vector) : default;
        return valid;
    }

    public bool Contains(ushort value) => IndexOf(value) >= 0;

    /// <summary>The position of a code point, or -1.</summary>
    public int IndexOf(ushort value)
    {
        for (int i = 0; i < Count; i++)
        {
            if (this[i] == value)
                return i;
        }
        return -1;
    }
}
