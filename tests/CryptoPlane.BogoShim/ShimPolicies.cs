using CryptoPlane.Tls;

namespace CryptoPlane.BogoShim;

/// <summary>What profiles allow of TLS 1.3, as options: there are no profiles in the engine.</summary>
internal static class ShimPolicies
{
    /// <summary>NIST SP 800-52 revision 2.</summary>
    public static void Fips(ShimSettings settings) => Set(
        settings,
        [TlsCipherSuite.Aes128GcmSha256, TlsCipherSuite.Aes256GcmSha384],
        [TlsNamedGroup.Secp256r1, TlsNamedGroup.Secp384r1],
        [
            TlsSignatureScheme.EcdsaSecp256r1Sha256, TlsSignatureScheme.EcdsaSecp384r1Sha384,
            TlsSignatureScheme.RsaPssRsaeSha256, TlsSignatureScheme.RsaPssRsaeSha384, TlsSignatureScheme.RsaPssRsaeSha512,
        ]);

    /// <summary>WPA3 in its 192-bit mode.</summary>
    public static void Wpa(ShimSettings settings) => Set(
        settings,
        [TlsCipherSuite.Aes256GcmSha384],
        [TlsNamedGroup.Secp384r1],
        [TlsSignatureScheme.EcdsaSecp384r1Sha384, TlsSignatureScheme.RsaPssRsaeSha384, TlsSignatureScheme.RsaPssRsaeSha512]);

    /// <summary>CNSA, which prefers AES-256 and forbids nothing.</summary>
    public static void Cnsa(ShimSettings settings) =>
        settings.CipherSuites.AddRange([TlsCipherSuite.Aes256GcmSha384, TlsCipherSuite.Aes128GcmSha256, TlsCipherSuite.ChaCha20Poly1305Sha256]);

    private static void Set(ShimSettings settings, TlsCipherSuite[] suites, TlsNamedGroup[] groups, TlsSignatureScheme[] schemes)
    {
        settings.CipherSuites.AddRange(suites);
        settings.Curves.AddRange(groups);
        settings.SigningPrefs.AddRange(schemes);
        settings.VerifyPrefs.AddRange(schemes);
    }
}
