using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls;

/// <summary>The CompressedCertificate messages of a credential (RFC 8879), each made at its first use and kept.</summary>
/// <remarks>Safe for every thread: two that come first at once make the same message.</remarks>
internal sealed class CompressedChains
{
    private readonly Entry?[] _entries = new Entry?[2 * ((int)TlsCertificateCompression.Brotli + 1)];

    /// <summary>Gives the message for a chain, with an OCSP response or without.</summary>
    /// <returns>Null if it would not be shorter than the Certificate.</returns>
    public byte[]? Get(TlsCertificateCompression algorithm, IReadOnlyList<byte[]> chain, byte[]? ocspResponse)
    {
        ref Entry? place = ref _entries[(2 * (int)algorithm) + (ocspResponse == null ? 0 : 1)];
        Entry? entry = Volatile.Read(ref place);
        if (entry is not null && ReferenceEquals(entry.OcspResponse, ocspResponse))
            return entry.Message;
        var writer = new WireWriter();
        CertificateMessage.Write(writer, requestContext: default, chain, ocspResponse);
        var made = new Entry(ocspResponse, CompressedCertificateMessage.Make(algorithm, writer.Written[Handshake.HandshakeMessage.HeaderSize..]));
        Volatile.Write(ref place, made);
        return made.Message;
    }

    private sealed record Entry(byte[]? OcspResponse, byte[]? Message);
}
