namespace CryptoPlane.Ike.Wire;

/// <summary>
/// What proposals and transforms begin with (RFC 7296 §3.3.1, §3.3.2): whether another one follows, a reserved byte, and the length of all of it.
/// </summary>
internal static class Substructure
{
    /// <summary>Bytes up to the end of the length, and those that either kind has at least.</summary>
    private const int HeaderSize = 4, MinimumSize = 8;

    /// <summary>Reads a substructure.</summary>
    /// <param name="reader">Stands at it, and behind it if the result is true.</param>
    /// <param name="more">What its first byte is where another one follows.</param>
    /// <param name="body">What lies behind its length.</param>
    /// <param name="isLast">It says that it is the last one.</param>
    public static bool TryRead(ref IkeReader reader, byte more, out IkeReader body, out bool isLast)
    {
        body = default;
        isLast = false;
        if (!reader.TryReadByte(out byte first) || (first != 0 && first != more) || !reader.TrySkip(1) || !reader.TryReadUInt16(out ushort length)
            || length < MinimumSize || !reader.TryReadBytes(length - HeaderSize, out ReadOnlySpan<byte> rest))
            return false;
        isLast = first == 0;
        body = new IkeReader(rest);
        return true;
    }

    /// <summary>Begins a substructure.</summary>
    /// <returns>Where the length lies, for <see cref="IkeWriter.EndLength"/>.</returns>
    public static int Begin(IkeWriter writer, byte more, bool isLast)
    {
        writer.WriteByte(isLast ? (byte)0 : more);
        writer.WriteByte(0);
        return writer.BeginLength();
    }
}
