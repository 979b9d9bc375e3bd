using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Handshake.Resumption;

/// <summary>The time that servers which share ticket keys, and issuers of certificates, have in common.</summary>
internal static class WallClock
{
#pragma warning disable RS0030 // Rule 2: the clock is the application's, which gives it in the options; only its unit is changed here.
    /// <summary>Milliseconds of Unix time.</summary>
    public static long UnixMilliseconds(this TimeProvider clock) => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Reads a time, in milliseconds of Unix time.</summary>
    public static long ReadUnixMilliseconds(this AsnReader reader) => reader.ReadGeneralizedTime().ToUnixTimeMilliseconds();

    /// <summary>When a certificate begins, in milliseconds of Unix time.</summary>
    public static long BeginUnixMilliseconds(this X509Certificate2 certificate) => new DateTimeOffset(certificate.NotBefore).ToUnixTimeMilliseconds();

    /// <summary>When a certificate ends, in milliseconds of Unix time.</summary>
    public static long EndUnixMilliseconds(this X509Certificate2 certificate) => new DateTimeOffset(certificate.NotAfter).ToUnixTimeMilliseconds();
#pragma warning restore RS0030
}
