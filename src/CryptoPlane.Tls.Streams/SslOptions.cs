using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Streams;

/// <summary>
/// From the options of <see cref="SslStream"/> to ours. What has no counterpart is refused by its name, and never passed over: an option
/// that has no effect is worse than none.
/// </summary>
public static class SslOptions
{
    private static readonly TlsClientOptions s_defaults = new("localhost");

    /// <summary>Certificates that were made ready once, for callbacks that give the same one again.</summary>
    private static readonly ConditionalWeakTable<X509Certificate2, TlsCredential> s_credentials = [];

    /// <summary>
    /// Makes a server's options: of the certificate (itself, in a context, or from the callback, whose sender is null), protocols, suites,
    /// RSA-PSS, and required client certificates below a chain policy's roots. Nothing is resumed: give
    /// <see cref="TlsServerOptions.TicketProtector"/> for that.
    /// </summary>
    /// <param name="options">As for <see cref="SslStream"/>.</param>
    /// <exception cref="NotSupportedException">TLS 1.3 is not among the versions, none of its suites is allowed, or an option cannot be honoured.</exception>
    /// <exception cref="ArgumentException">There is no certificate with a private key.</exception>
    public static TlsServerOptions ToTlsOptions(SslServerAuthenticationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckVersions(options.EnabledSslProtocols);
        CheckEncryption(options.EncryptionPolicy);
        return new TlsServerOptions(Selector(options))
        {
            ApplicationProtocols = options.ApplicationProtocols ?? [],
            CipherSuites = Suites(options.CipherSuitesPolicy),
            SignatureSchemes = Schemes(options.AllowRsaPssPadding),
            ClientAuthentication = ClientAuthentication(options),
        };
    }

    /// <summary>
    /// Makes a client's options: of the host, protocols, suites, RSA-PSS, client certificates, the revocation mode, and a chain policy's roots.
    /// There is no callback that could accept every certificate: see <see cref="TlsClientOptions.TrustedRoots"/> and
    /// <see cref="TlsClientOptions.PinnedKeys"/>.
    /// </summary>
    /// <param name="options">As for <see cref="SslStream"/>.</param>
    /// <exception cref="NotSupportedException">TLS 1.3 is not among the versions, none of its suites is allowed, or an option cannot be honoured.</exception>
    /// <exception cref="ArgumentException">The host is neither a DNS name nor an IP address.</exception>
    public static TlsClientOptions ToTlsOptions(SslClientAuthenticationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckVersions(options.EnabledSslProtocols);
        CheckEncryption(options.EncryptionPolicy);
        Refuse(options.RemoteCertificateValidationCallback is not null, nameof(options.RemoteCertificateValidationCallback));
        Refuse(options.LocalCertificateSelectionCallback is not null, nameof(options.LocalCertificateSelectionCallback));
        Refuse(!options.AllowRsaPkcs1Padding, $"{nameof(options.AllowRsaPkcs1Padding)} = false");
        X509ChainPolicy? policy = Checked(options.CertificateChainPolicy);
        return new TlsClientOptions(options.TargetHost ?? "")
        {
            ApplicationProtocols = options.ApplicationProtocols ?? [],
            CipherSuites = Suites(options.CipherSuitesPolicy),
            SignatureSchemes = Schemes(options.AllowRsaPssPadding),
            RevocationMode = policy?.RevocationMode ?? options.CertificateRevocationCheckMode,
            TrustedRoots = policy is { TrustMode: X509ChainTrustMode.CustomRootTrust } ? policy.CustomTrustStore : null,
            Credentials = options.ClientCertificateContext is { } context
                ? [new TlsCredential(context.TargetCertificate, context.IntermediateCertificates)]
                : [.. (options.ClientCertificates ?? []).Cast<X509Certificate>().Select(Ready)],
        };
    }

    /// <summary>Clients are those of a chain policy's roots: the system's, which SslStream would take, vouch for anybody.</summary>
    private static TlsClientAuthentication? ClientAuthentication(SslServerAuthenticationOptions options)
    {
        if (!options.ClientCertificateRequired)
            return null;
        Refuse(options.RemoteCertificateValidationCallback is not null, nameof(options.RemoteCertificateValidationCallback));
        X509ChainPolicy? policy = Checked(options.CertificateChainPolicy);
        Refuse(policy is not { TrustMode: X509ChainTrustMode.CustomRootTrust }, "ClientCertificateRequired without CertificateChainPolicy.CustomTrustStore");
        return new TlsClientAuthentication(policy!.CustomTrustStore) { RevocationMode = policy.RevocationMode };
    }

    private static X509ChainPolicy? Checked(X509ChainPolicy? policy)
    {
        Refuse(policy is { VerificationFlags: not X509VerificationFlags.NoFlag }, "CertificateChainPolicy.VerificationFlags");
        Refuse(policy is { ApplicationPolicy.Count: > 0 }, "CertificateChainPolicy.ApplicationPolicy");
        return policy;
    }

    private static Func<string?, TlsCredential?> Selector(SslServerAuthenticationOptions options)
    {
        // The order in which SslStream looks for it.
        if (options.ServerCertificateContext is { } context)
        {
            var withChain = new TlsCredential(context.TargetCertificate, context.IntermediateCertificates);
            return _ => withChain;
        }
        if (options.ServerCertificate is { } certificate)
        {
            TlsCredential single = Ready(certificate);
            return _ => single;
        }
        if (options.ServerCertificateSelectionCallback is { } callback)
            return name => callback(null!, name) is { } chosen ? Ready(chosen) : null;
        throw new ArgumentException(
            "The options name no certificate: give ServerCertificateContext, ServerCertificate or ServerCertificateSelectionCallback.", nameof(options));
    }

    private static TlsCredential Ready(X509Certificate certificate) => certificate is X509Certificate2 withKey
        ? s_credentials.GetValue(withKey, static key => new TlsCredential(key))
        : throw new ArgumentException("A certificate must be an X509Certificate2 with its private key.");

    private static IReadOnlyList<TlsCipherSuite> Suites(CipherSuitesPolicy? policy)
    {
        if (policy is null)
            return s_defaults.CipherSuites;
        // The framework's policies are for OpenSSL, on which this library stands as well.
#pragma warning disable CA1416
        TlsCipherSuite[] allowed = [.. policy.AllowedCipherSuites.Select(suite => (TlsCipherSuite)suite).Where(s_defaults.CipherSuites.Contains)];
#pragma warning restore CA1416
        return allowed.Length > 0
            ? allowed
            : throw new NotSupportedException($"CipherSuitesPolicy allows none of {string.Join(", ", s_defaults.CipherSuites)}.");
    }

    private static IReadOnlyList<TlsSignatureScheme> Schemes(bool allowRsaPss) =>
        [.. s_defaults.SignatureSchemes.Where(scheme => allowRsaPss || !IsRsaPss(scheme))];

    /// <summary>By the code points of RFC 8446 §4.2.3: rsa_pss_rsae_* and rsa_pss_pss_*.</summary>
    private static bool IsRsaPss(TlsSignatureScheme scheme) => (ushort)scheme is (>= 0x0804 and <= 0x0806) or (>= 0x0809 and <= 0x080B);

    private static void CheckVersions(SslProtocols versions)
    {
        if (versions != SslProtocols.None && !versions.HasFlag(SslProtocols.Tls13))
            throw new NotSupportedException($"EnabledSslProtocols ({versions}) does not have Tls13, and there is nothing older here.");
    }

    private static void CheckEncryption(EncryptionPolicy policy) => Refuse(policy != EncryptionPolicy.RequireEncryption, "EncryptionPolicy");

    private static void Refuse(bool isAsked, string name)
    {
        if (isAsked)
            throw new NotSupportedException($"{name} cannot be honoured here.");
    }
}
