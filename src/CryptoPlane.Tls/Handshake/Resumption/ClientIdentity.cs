using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Handshake.Resumption;

/// <summary>Who a client is, for the tickets that it gets: its certificate, and by what and until when it holds.</summary>
/// <param name="Certificate">DER.</param>
/// <param name="Verified">When the client proved its private key, in milliseconds of Unix time.</param>
/// <param name="NotAfter">When the certificate ends, in milliseconds of Unix time.</param>
/// <param name="Policy">The digest of the rules that accepted it.</param>
internal sealed record ClientIdentity(byte[] Certificate, long Verified, long NotAfter, byte[] Policy)
{
    /// <summary>Longest certificate that a ticket holds; a client with a longer one gets no ticket. A ClientHello carries it each time.</summary>
    public const int MaxCertificate = 4096;

    /// <summary>The identity of a client whose certificate was verified just now.</summary>
    public static ClientIdentity Of(X509Certificate2 certificate, TlsServerOptions options) => new(
        certificate.RawData, options.TimeProvider.UnixMilliseconds(), certificate.EndUnixMilliseconds(),
        options.ClientAuthentication!.Digest.ToArray());
}
