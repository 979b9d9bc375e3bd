namespace CryptoPlane.Tls.Wire;

/// <summary>psk_key_exchange_modes (RFC 8446 §4.2.9): how a client is ready to use a pre-shared key.</summary>
internal static class PskKeyExchangeModesExtension
{
    /// <summary>psk_dhe_ke: with a key exchange, so that a stolen ticket key opens no recording. The only mode that is built.</summary>
    private const byte WithKeyExchange = 1;

    /// <summary>Whether the client would use a pre-shared key together with a key exchange.</summary>
    /// <returns>False if the list is malformed.</returns>
    public static bool TryParse(ReadOnlySpan<byte> data, out bool allowsKeyExchange)
    {
        var reader = new WireReader(data);
        bool parsed = reader.TryReadVector8(out ReadOnlySpan<byte> modes) && !modes.IsEmpty && reader.IsAtEnd;
        allowsKeyExchange = parsed && modes.Contains(WithKeyExchange);
        return parsed;
    }

    /// <summary>Writes the client's one mode.</summary>
    public static void Write(WireWriter writer)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.PskKeyExchangeModes);
        writer.WriteVector8([WithKeyExchange]);
        writer.End(extension);
    }
}
