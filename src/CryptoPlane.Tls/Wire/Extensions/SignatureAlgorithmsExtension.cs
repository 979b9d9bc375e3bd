namespace CryptoPlane.Tls.Wire;

/// <summary>signature_algorithms and signature_algorithms_cert (RFC 8446 §4.2.3).</summary>
internal static class SignatureAlgorithmsExtension
{
    /// <summary>Reads both of a message that must have the first.</summary>
    /// <param name="extensions">The message's.</param>
    /// <param name="message">Its name, for errors.</param>
    /// <param name="schemes">What may sign a CertificateVerify.</param>
    /// <param name="certificateSchemes">What may sign certificates.</param>
    public static TlsError? Parse(ExtensionList extensions, string message, out CodePointList schemes, out CodePointList certificateSchemes)
    {
        schemes = certificateSchemes = default;
        // RFC 8446 §4.2.3: "If a server is authenticating via a certificate and the client has not sent a "signature_algorithms"
        // extension, then the server MUST abort the handshake with a "missing_extension" alert." §4.3.2, of a CertificateRequest: "The
        // signature_algorithms extension MUST be specified."
        if (!extensions.TryGet(ExtensionType.SignatureAlgorithms, out ReadOnlySpan<byte> data))
            return TlsError.Misbehaved(TlsAlert.MissingExtension, $"The {message} has no signature_algorithms.");
        if (!TryParse(data, out schemes))
            return TlsError.Decode($"The {message}'s signature_algorithms are malformed.");
        // RFC 8446 §4.2.3: without signature_algorithms_cert, signature_algorithms count for the certificates as well.
        certificateSchemes = schemes;
        return extensions.TryGet(ExtensionType.SignatureAlgorithmsCert, out data) && !TryParse(data, out certificateSchemes)
            ? TlsError.Decode($"The {message}'s signature_algorithms_cert are malformed.") : null;
    }

    public static bool TryParse(ReadOnlySpan<byte> data, out CodePointList schemes)
    {
        schemes = default;
        var reader = new WireReader(data);
        return reader.TryReadVector16(out ReadOnlySpan<byte> list) && reader.IsAtEnd && CodePointList.TryParse(list, out schemes);
    }

    public static void Write(WireWriter writer, ExtensionType type, IReadOnlyList<TlsSignatureScheme> schemes, ReadOnlySpan<ushort> more)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(type);
        WireWriter.LengthScope list = writer.Begin(2);
        foreach (TlsSignatureScheme scheme in schemes)
            writer.WriteUInt16((ushort)scheme);
        foreach (ushort scheme in more)
            writer.WriteUInt16(scheme);
        writer.End(list);
        writer.End(extension);
    }
}
