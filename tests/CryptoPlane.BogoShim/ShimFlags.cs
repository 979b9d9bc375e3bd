using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using CryptoPlane.Tls;

namespace CryptoPlane.BogoShim;

/// <summary>The runner's flags: for the first connection, for those that resume it, and for one that is tried again behind rejected early data.</summary>
internal sealed class ShimFlags
{
    private const int Tls13 = 0x0304;

    private static readonly FrozenDictionary<string, Flag> s_flags = Table().ToFrozenDictionary();

    private ShimFlags()
    {
    }

    public ShimSettings Initial { get; } = new();

    public ShimSettings Resume { get; } = new();

    public ShimSettings Retry { get; } = new();

    /// <exception cref="NotImplementedFlagException">A flag is unknown, or asks for what is not built.</exception>
    public static ShimFlags Parse(ReadOnlySpan<string> arguments)
    {
        var flags = new ShimFlags();
        for (int i = 0; i < arguments.Length; i++)
        {
            // "-on-shim" means this process, and "-on-handshaker" the one that there is not.
            string name = Strip(arguments[i], "-on-shim", out _);
            name = Strip(name, "-on-handshaker", out bool isForHandshaker);
            name = Strip(name, "-on-initial", out bool initial);
            name = Strip(name, "-on-resume", out bool resume);
            name = Strip(name, "-on-retry", out bool retry);
            if (!s_flags.TryGetValue(name, out Flag flag))
                throw new NotImplementedFlagException(name);
            string value = "";
            if (flag.HasValue)
                value = ++i < arguments.Length ? arguments[i] : throw new ShimFailureException($"{name} needs a value.");
            if (isForHandshaker)
                continue;
            bool all = !initial && !resume && !retry;
            if (all || initial)
                flag.Set(flags.Initial, value);
            if (all || resume)
                flag.Set(flags.Resume, value);
            if (all || retry)
                flag.Set(flags.Retry, value);
        }
        return flags;
    }

    private static string Strip(string name, string prefix, out bool found)
    {
        found = name.StartsWith(prefix + "-", StringComparison.Ordinal);
        return found ? name[prefix.Length..] : name;
    }

    private static IEnumerable<KeyValuePair<string, Flag>> Table() =>
    [
        Value("-port", (s, v) => s.Port = Number(v)),
        Value("-shim-id", (s, v) => (s.ShimId, s.HasShimId) = (ulong.Parse(v, CultureInfo.InvariantCulture), true)),
        Switch("-ipv6", s => s.IPv6 = true),
        Switch("-server", s => s.IsServer = true),
        Switch("-is-handshaker-supported", s => s.AsksForHandshaker = true),
        Value("-handshaker-path", (_, _) => { }),
        Value("-resume-count", (s, v) => s.ResumeCount = Number(v)),
        Value("-resumption-delay", (s, v) => s.ResumptionDelay = Number(v)),
        Switch("-async", s => s.Async = true),
        // Whether reading and writing make BoringSSL's handshake is its affair: ours has a method of its own.
        Switch("-implicit-handshake", _ => { }),

        // Versions: there is TLS 1.3 alone, so others are left away as well where a test does not say so.
        Value("-min-version", (_, v) => Require(Number(v) <= Tls13, "a version newer than TLS 1.3")),
        Value("-max-version", (_, v) => Require(Number(v) >= Tls13, "versions older than TLS 1.3")),
        Value("-expect-version", (_, v) => Require(Number(v) == Tls13, "versions older than TLS 1.3")),
        Switch("-no-tls1", _ => { }),
        Switch("-no-tls11", _ => { }),
        Switch("-no-tls12", _ => { }),
        // What these extensions brought to TLS 1.2, TLS 1.3 always has.
        Switch("-expect-extended-master-secret", _ => { }),
        Switch("-expect-secure-renegotiation", _ => { }),
        // There is no renegotiation in TLS 1.3, however freely it is allowed.
        Switch("-renegotiate-freely", _ => { }),
        Switch("-renegotiate-ignore", _ => { }),
        Switch("-renegotiate-once", _ => { }),
        Switch("-forbid-renegotiation-after-handshake", _ => { }),

        // What comes behind the flag is about that credential.
        Switch("-new-x509-credential", s => s.Credentials.Add(new ShimCredential())),
        // Keys that are imported (RFC 9258), and the hash that each is bound to.
        Switch("-new-psk-credential", s => s.Credentials.Add(new ShimCredential())),
        Value("-psk-importer-key", (s, v) => s.Credential.Key = Convert.FromBase64String(v)),
        Value("-psk-importer-identity", (s, v) => s.Credential.KeyIdentity = Convert.FromBase64String(v)),
        Value("-psk-importer-context", (s, v) => s.Credential.KeyContext = Convert.FromBase64String(v)),
        Switch("-psk-importer-sha256", s => s.Credential.KeyHash = HashAlgorithmName.SHA256),
        Switch("-psk-importer-sha384", s => s.Credential.KeyHash = HashAlgorithmName.SHA384),
        Switch("-expect-no-peer-cert", s => s.ExpectNoPeerCert = true),
        Value("-cert-file", (s, v) => s.Credential.CertFile = v),
        Value("-key-file", (s, v) => s.Credential.KeyFile = v),
        // The runner sees which one is shown.
        Value("-expect-selected-credential", (_, _) => { }),
        // The application is not told whom a server names, but a client goes by it.
        Value("-expect-client-ca-list", (_, _) => { }),
        Value("-use-client-ca-list", (s, v) => s.Authorities = v == "<EMPTY>" ? [] : [.. v.Split(',').Select(Convert.FromHexString)]),
        Value("-trust-cert", (s, v) => s.TrustCert = v),
        // Clients verify always; a server asks for a certificate.
        Switch("-verify-peer", s => s.VerifyPeer = true),
        Switch("-require-any-client-certificate", s => s.VerifyPeer = s.RequireClientCertificate = true),
        // A server asks the application again about the certificate of a resumed connection; a client does not.
        Switch("-reverify-on-resume", s => Require(s.IsServer, "a client that verifies again")),
        // Which callback gives the client's certificate is BoringSSL's affair.
        Switch("-use-old-client-cert-callback", _ => { }),
        Switch("-use-custom-verify-callback", _ => { }),
        Switch("-expect-verify-result", _ => { }),
        Switch("-verify-fail", s => s.VerifyFail = true),
        Value("-host-name", (s, v) => s.HostName = v),
        Value("-curves", (s, v) => s.Curves.Add(Known<TlsNamedGroup>(v))),
        Switch("-fips-202205", ShimPolicies.Fips),
        Switch("-wpa-202304", ShimPolicies.Wpa),
        Switch("-cnsa-202407", ShimPolicies.Cnsa),
        Value("-signing-prefs", (s, v) =>
        {
            Require(s.Credentials.Count == 0, "signing preferences of one credential among several");
            AddScheme(s.SigningPrefs, v);
        }),
        Value("-verify-prefs", (s, v) => AddScheme(s.VerifyPrefs, v)),
        Value("-advertise-alpn", (s, v) => s.AdvertiseAlpn = v),
        Value("-select-alpn", (s, v) => s.SelectAlpn = v),
        // What a client offers, the application is not told.
        Value("-expect-advertised-alpn", (_, _) => { }),
        Switch("-decline-alpn", _ => { }),
        Switch("-reject-alpn", s => s.RejectAlpn = true),
        Switch("-no-ticket", s => s.NoTicket = true),
        // Tickets are sealed by the application's object in any case, and each connection is given new ones.
        Switch("-use-ticket-callback", _ => { }),
        Switch("-use-ticket-aead-callback", _ => { }),
        Switch("-renew-ticket", _ => { }),
        Switch("-skip-ticket", s => s.NoTicket = true),

        Switch("-shim-writes-first", s => s.ShimWritesFirst = true),
        Switch("-read-with-unfinished-write", s => s.ReadWithUnfinishedWrite = true),
        Switch("-write-different-record-sizes", s => s.WriteDifferentRecordSizes = true),
        Switch("-shim-shuts-down", s => s.ShimShutsDown = true),
        Switch("-check-close-notify", s => s.CheckCloseNotify = true),
        Switch("-key-update", s => s.KeyUpdate = true),
        Switch("-key-update-before-read", s => s.KeyUpdateBeforeRead = true),
        Switch("-no-op-extra-handshake", s => s.ExtraHandshake = true),
        Switch("-handshake-twice", s => s.ExtraHandshake = true),
        Value("-read-size", (s, v) => s.ReadSize = Number(v)),
        Value("-export-keying-material", (s, v) => s.ExportKeyingMaterial = Number(v)),
        Value("-export-label", (s, v) => s.ExportLabel = v),
        Value("-export-context", (s, v) => s.ExportContext = v),
        // RFC 8446 §7.5: no context and an empty one are the same.
        Switch("-use-export-context", _ => { }),
        Switch("-use-exporter-between-reads", s => s.ExporterBetweenReads = true),

        Switch("-enable-ocsp-stapling", s => s.EnableOcspStapling = true),
        Value("-ocsp-response", (s, v) => s.Credential.OcspResponse = Convert.FromBase64String(v)),
        // The response is the credential's at any time, and a client judges one by itself: a callback has nothing to add but to send none.
        Switch("-use-ocsp-callback", _ => { }),
        Switch("-set-ocsp-in-callback", _ => { }),
        Switch("-decline-ocsp-callback", s => s.DeclinesOcsp = true),
        Value("-expect-ocsp-response", (s, v) => s.ExpectOcspResponse = Convert.FromBase64String(v)),
        Switch("-enable-early-data", s => s.EnableEarlyData = true),
        // How far the clocks are apart the application is not told; whether early data is taken all the same, other flags say.
        Value("-expect-ticket-age-skew", (_, _) => { }),
        Value("-early-write-after-message", (s, v) => s.EarlyWriteAfterMessage = Number(v)),
        Switch("-expect-accept-early-data", s => s.ExpectAcceptEarlyData = true),
        Switch("-expect-reject-early-data", s => s.ExpectRejectEarlyData = true),
        Switch("-expect-no-offer-early-data", s => s.ExpectNoOfferEarlyData = true),
        Switch("-expect-ticket-supports-early-data", s => s.ExpectTicketSupportsEarlyData = true),
        Value("-expect-early-data-reason", (s, v) => s.ExpectEarlyDataReason = v),
        // Tickets hold the state, so a server caches nothing.
        Switch("-expect-no-session-id", _ => { }),
        Switch("-expect-session-miss", s => s.ExpectSessionMiss = true),
        Switch("-expect-no-session", s => s.ExpectNoSession = true),
        Switch("-expect-hrr", s => s.ExpectHelloRetryRequest = true),
        Switch("-expect-no-hrr", s => s.ExpectNoHelloRetryRequest = true),
        Value("-expect-alpn", (s, v) => s.ExpectAlpn = v),
        Value("-expect-server-name", (s, v) => s.ExpectServerName = v),
        Switch("-expect-no-server-name", s => s.ExpectNoServerName = true),
        Value("-expect-peer-cert-file", (s, v) => s.ExpectPeerCertFile = v),
        Value("-expect-curve-id", (s, v) => s.ExpectCurve = Known<TlsNamedGroup>(v)),
        Value("-expect-cipher", (s, v) => s.ExpectCipher = Known<TlsCipherSuite>(v)),
        // The order of preference does not depend on the CPU: of the two flags, the one for CPUs with AES holds.
        Value("-expect-cipher-aes", (s, v) => s.ExpectCipher = Known<TlsCipherSuite>(v)),
        Value("-expect-cipher-no-aes", (_, _) => { }),
        // One that is not built must not come: the tests are about its refusal.
        Value("-expect-peer-signature-algorithm", (s, v) => s.ExpectPeerSignature = (TlsSignatureScheme)ushort.Parse(v, CultureInfo.InvariantCulture)),
    ];

    private static KeyValuePair<string, Flag> Switch(string name, Action<ShimSettings> set) => new(name, new Flag(false, (settings, _) => set(settings)));

    private static KeyValuePair<string, Flag> Value(string name, Action<ShimSettings, string> set) => new(name, new Flag(true, set));

    private static int Number(string value) => int.Parse(value, CultureInfo.InvariantCulture);

    /// <summary>What is not built cannot be preferred, and tests that prefer it alone are about its refusal.</summary>
    private static void AddScheme(List<TlsSignatureScheme> schemes, string value)
    {
        var scheme = (TlsSignatureScheme)ushort.Parse(value, CultureInfo.InvariantCulture);
        if (Enum.IsDefined(scheme))
            schemes.Add(scheme);
    }

    private static T Known<T>(string value)
        where T : struct, Enum
    {
        var point = (T)Enum.ToObject(typeof(T), ushort.Parse(value, CultureInfo.InvariantCulture));
        Require(Enum.IsDefined(point), $"{typeof(T).Name} {value}");
        return point;
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
            throw new NotImplementedFlagException(what);
    }

    private readonly record struct Flag(bool HasValue, Action<ShimSettings, string> Set);
}
