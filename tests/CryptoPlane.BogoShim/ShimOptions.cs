using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CryptoPlane.Tls;
using TlsCipherSuite = CryptoPlane.Tls.TlsCipherSuite;

namespace CryptoPlane.BogoShim;

/// <summary>From the runner's settings to the engine's options.</summary>
internal static class ShimOptions
{
    /// <summary>What the runner takes for granted where no -curves are given.</summary>
    private static readonly TlsNamedGroup[] s_groups = [TlsNamedGroup.X25519, TlsNamedGroup.Secp256r1, TlsNamedGroup.Secp384r1];

    private static readonly TlsCipherSuite[] s_suites = [TlsCipherSuite.Aes128GcmSha256, TlsCipherSuite.Aes256GcmSha384, TlsCipherSuite.ChaCha20Poly1305Sha256];

    /// <summary>What a server signs with where no -signing-prefs are given: all.</summary>
    private static readonly TlsSignatureScheme[] s_signing = [.. Enum.GetValues<TlsSignatureScheme>().Where(scheme => scheme != TlsSignatureScheme.None)];

    /// <summary>What a client accepts where no -verify-prefs are given: the runner counts on these, and on no others.</summary>
    private static readonly TlsSignatureScheme[] s_accepted =
    [
        TlsSignatureScheme.EcdsaSecp256r1Sha256, TlsSignatureScheme.RsaPssRsaeSha256, TlsSignatureScheme.EcdsaSecp384r1Sha384,
        TlsSignatureScheme.RsaPssRsaeSha384, TlsSignatureScheme.RsaPssRsaeSha512,
    ];

    /// <summary>BoringSSL's most early data, and by how much it lets clocks differ: tests go up to these and beyond.</summary>
    private const int MaxEarlyData = 14_336, MaxSkewSeconds = 60;

    public static TlsServerOptions ForServer(ShimSettings settings, ITlsTicketProtector tickets, ITlsReplayGuard guard, TimeProvider clock)
    {
        IReadOnlyList<TlsCredential> credentials = LoadCredentials(settings);
        var keys = new ShimKeys(settings);
        if (credentials.Count == 0 && keys.All.Count == 0)
            throw new NotImplementedFlagException("a server without a certificate");
        return new TlsServerOptions(_ => credentials)
        {
            PreSharedKeys = keys,
            // The runner's clients are of no authority: the shim decides by the flags.
            ClientAuthentication = settings.VerifyPeer
                ? new TlsClientAuthentication
                {
                    IsRequired = settings.RequireClientCertificate,
                    Authorities = [.. settings.Authorities.Select(name => new X500DistinguishedName(name))],
                }
                : null,
            CipherSuites = Suites(settings),
            Groups = settings.Curves.Count == 0 ? s_groups : settings.Curves,
            SignatureSchemes = ServerSchemes(settings),
            ApplicationProtocols = settings.RejectAlpn ? [new SslApplicationProtocol("none of the client's")]
                : settings.SelectAlpn is { Length: > 0 } protocol ? [new SslApplicationProtocol(protocol)] : [],
            TicketProtector = settings.NoTicket ? null : tickets,
            DangerousAcceptEarlyData = settings.EnableEarlyData
                ? new TlsEarlyDataPolicy(MaxEarlyData, guard) { FreshnessWindow = TimeSpan.FromSeconds(MaxSkewSeconds) }
                : null,
            TimeProvider = clock,
        };
    }

    public static TlsClientOptions ForClient(ShimSettings settings, TlsSession? session, TimeProvider clock)
    {
        // Without a name none may be sent; an address never is. What is behind it does not matter to a client that goes by keys.
        IReadOnlyList<TlsNamedGroup> groups = settings.Curves.Count == 0 ? s_groups : settings.Curves;
        string name = settings.HostName ?? "192.0.2.1";
        if (name.Split('.').Any(label => label.Length > 63))
            throw new NotImplementedFlagException("a name that is no DNS name");
        return new TlsClientOptions(name)
        {
            CipherSuites = Suites(settings),
            Groups = groups,
            // What the runner counts on: the first group, and the first of the other kind, where one is hybrid and one is not.
            KeyShareGroups = [groups[0], .. groups.Where(group => IsHybrid(group) != IsHybrid(groups[0])).Take(1)],
            SignatureSchemes = ClientSchemes(settings),
            ApplicationProtocols = ParseProtocols(settings.AdvertiseAlpn),
            Credentials = LoadCredentials(settings),
            Session = session,
            PreSharedKeys = new ShimKeys(settings).All,
            KeepSessions = true,
            OcspStapling = settings.EnableOcspStapling ? TlsOcspStapling.Requested : TlsOcspStapling.None,
            DangerousSendEarlyData = settings.EnableEarlyData,
            TimeProvider = clock,
            // The runner wants a client that trusts whatever it shows. There is none here, but every key that it may show lies beside the root.
            PinnedKeys = settings.VerifyFail ? [] : [.. KeysBeside(settings.TrustCert)],
            TrustPinnedKeysAlone = true,
            TrustedRoots = [],
        };
    }

    private static bool IsHybrid(TlsNamedGroup group) => group == TlsNamedGroup.X25519MLKem768;

    /// <summary>A server signs and accepts by one list: what its RSA key signs with is in it beside what it shall accept.</summary>
    private static IReadOnlyList<TlsSignatureScheme> ServerSchemes(ShimSettings settings)
    {
        if (!settings.VerifyPeer)
            return settings.SigningPrefs.Count == 0 ? s_signing : settings.SigningPrefs;
        if (settings.SigningPrefs.Count != 0)
            throw new NotImplementedFlagException("signing preferences of a server that asks for certificates");
        return settings.VerifyPrefs.Count == 0
            ? s_accepted
            : [.. settings.VerifyPrefs, TlsSignatureScheme.RsaPssRsaeSha256, TlsSignatureScheme.RsaPssRsaeSha384, TlsSignatureScheme.RsaPssRsaeSha512];
    }

    /// <summary>So does a client; the runner's preferences for one with a certificate are about its signature.</summary>
    private static IReadOnlyList<TlsSignatureScheme> ClientSchemes(ShimSettings settings)
    {
        IReadOnlyList<TlsSignatureScheme> accepted = settings.VerifyPrefs.Count == 0 ? s_accepted : settings.VerifyPrefs;
        if (settings.Credential.CertFile == null)
            return accepted;
        IReadOnlyList<TlsSignatureScheme> signing = settings.SigningPrefs.Count == 0 ? s_signing : settings.SigningPrefs;
        return [.. signing, .. accepted];
    }

    private static IReadOnlyList<TlsCipherSuite> Suites(ShimSettings settings) => settings.CipherSuites.Count == 0 ? s_suites : settings.CipherSuites;

    private static IReadOnlyList<TlsCredential> LoadCredentials(ShimSettings settings) =>
        [.. settings.Credentials.Append(settings.DefaultCredential).Where(one => one.CertFile != null).Select(one => Load(one, settings))];

    private static TlsCredential Load(ShimCredential files, ShimSettings settings)
    {
        try
        {
            TlsCredential credential = TlsCredential.FromPem(File.ReadAllText(files.CertFile!), File.ReadAllText(files.KeyFile!));
            credential.SetOcspResponse(settings.DeclinesOcsp ? null : files.OcspResponse);
            return credential;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new NotImplementedFlagException($"a certificate of this kind ({e.Message})");
        }
    }

    private static IEnumerable<byte[]> KeysBeside(string? rootFile)
    {
        if (string.IsNullOrEmpty(rootFile))
            yield break;
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(rootFile)!, "test-cert*"))
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPemFile(file);
            foreach (X509Certificate2 certificate in certificates)
                yield return SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());
        }
    }

    private static SslApplicationProtocol[] ParseProtocols(string? list)
    {
        var protocols = new List<SslApplicationProtocol>();
        ReadOnlySpan<byte> rest = Encoding.Latin1.GetBytes(list ?? "");
        while (!rest.IsEmpty)
        {
            protocols.Add(new SslApplicationProtocol(rest.Slice(1, rest[0]).ToArray()));
            rest = rest[(1 + rest[0])..];
        }
        return [.. protocols];
    }
}
