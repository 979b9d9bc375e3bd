namespace CryptoPlane.Esp.Wire;

/// <summary>
/// The ones' complement sum of RFC 1071. It does not depend on byte order, so that words are added, and the result is stored, as they
/// lie in memory.
/// </summary>
internal static unsafe class InternetChecksum
{
    /// <summary>Adds bytes to a sum that is folded later.</summary>
    public static ulong Add(ulong sum, byte* data, int length)
    {
        // Sound: reads [data, data + length) and nothing else. 2^32 words would be needed to overflow the sum.
        for (; length >= sizeof(uint); length -= sizeof(uint), data += sizeof(uint))
            sum += *(uint*)data;
        if (length >= sizeof(ushort))
        {
            sum += *(ushort*)data;
            data += sizeof(ushort);
            length -= sizeof(ushort);
        }
        if (length == 1)
            sum += NetworkOrder.From((ushort)(*data << 8));
        return sum;
    }

    /// <summary>Folds a sum and inverts it: the checksum as it goes into a header.</summary>
    public static ushort Finish(ulong sum)
    {
        sum = (sum & uint.MaxValue) + (sum >> 32);
        sum = (sum & uint.MaxValue) + (sum >> 32);
        sum = (sum & ushort.MaxValue) + (sum >> 16);
        sum = (sum & ushort.MaxValue) + (sum >> 16);
        sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)~sum;
    }

    /// <summary>The checksum after one 16-bit word of what it covers has changed (RFC 1624 §3, equation 3).</summary>
    public static ushort Update(ushort checksum, ushort before, ushort after)
    {
        uint sum = (ushort)~checksum + (uint)(ushort)~before + after;
        sum = (sum & ushort.MaxValue) + (sum >> 16);
        sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)~sum;
    }
}
