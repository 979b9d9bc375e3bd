using System.Buffers.Binary;

namespace CryptoPlane.Tls.Wire;

/// <summary>early_data (RFC 8446 §4.2.10): empty in ClientHello and EncryptedExtensions, a limit in NewSessionTicket.</summary>
internal static class EarlyDataExtension
{
    /// <summary>Writes the offer or its acceptance.</summary>
    public static void Write(WireWriter writer) => writer.End(writer.BeginExtension(ExtensionType.EarlyData));

    /// <summary>Parses a ticket's max_early_data_size.</summary>
    public static bool TryParseLimit(ReadOnlySpan<byte> data, out uint limit) =>
        BinaryPrimitives.TryReadUInt32BigEndian(data, out limit) && data.Length == sizeof(uint);

    /// <summary>Writes a ticket's max_early_data_size.</summary>
    public static void WriteLimit(WireWriter writer, uint limit)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.EarlyData);
        Span<byte> number = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(number, limit);
        writer.WriteBytes(number);
        writer.End(extension);
    }
}
