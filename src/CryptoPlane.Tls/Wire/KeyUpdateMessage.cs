namespace CryptoPlane.Tls.Wire;

/// <summary>KeyUpdate (RFC 8446 §4.6.3).</summary>
internal static class KeyUpdateMessage
{
    /// <summary>Bytes of the whole message, with its header.</summary>
    public const int Size = 5;

    public static TlsError? Parse(ReadOnlySpan<byte> body, out bool updateRequested)
    {
        updateRequested = false;
        if (body.Length != 1)
            return TlsError.Decode("The KeyUpdate is malformed.");
        // RFC 8446 §4.6.3: "If an implementation receives any other value, it MUST terminate the connection with an illegal_parameter alert."
        if (body[0] > 1)
            return TlsError.Illegal("The KeyUpdate's request_update is neither 0 nor 1.");
        updateRequested = body[0] == 1;
        return null;
    }

    public static void Write(Span<byte> message, bool requestUpdate)
    {
        message[0] = (byte)HandshakeType.KeyUpdate;
        message[1] = 0;
        message[2] = 0;
        message[3] = 1;
        message[4] = requestUpdate ? (byte)1 : (byte)0;
    }
}
