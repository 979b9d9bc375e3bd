using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Soak;

/// <summary>
/// The servers of the soak, whose options all threads share, and clients for them: all suites, certificates of several kinds, compressed ones,
/// client certificates, keys from elsewhere, tickets, early data, limits for records, and groups that take a retry.
/// </summary>
internal sealed class SoakProfiles : IDisposable
{
    /// <summary>Which of the servers does what.</summary>
    public const int Count = 4, WithClientCertificates = 2, WithPreSharedKeys = 3;

    private const int MaxEarlyData = 16_384;

    private static readonly TlsNamedGroup[] s_groups = [TlsNamedGroup.X25519, TlsNamedGroup.Secp256r1, TlsNamedGroup.Secp384r1, TlsNamedGroup.X25519MLKem768];

    private readonly TlsPreSharedKey[] _keys;
    private readonly TlsCredential[] _credentials =
    [
        new(TestCertificates.EcdsaP256), new(TestCertificates.Rsa2048), TestCertificates.Ed25519.Credential, new(TestCertificates.EcdsaP384),
    ];

    private readonly byte[][] _pins;

    public SoakProfiles()
    {
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        _keys = [new TlsPreSharedKey("external"u8, secret), TlsPreSharedKey.Import("imported"u8, secret, HashAlgorithmName.SHA256, "soak"u8)];
        _pins = [.. _credentials.Select(credential => SHA256.HashData(credential.Certificate.PublicKey.ExportSubjectPublicKeyInfo()))];
        var ring = new TlsTicketKeyRing();
        var early = new TlsEarlyDataPolicy(MaxEarlyData, new TlsReplayGuard()) { FreshnessWindow = TimeSpan.FromSeconds(1) };
        Servers =
        [
            new(_credentials[0]) { Groups = s_groups, TicketProtector = ring, DangerousAcceptEarlyData = early },
            new(_credentials[1]) { Groups = [TlsNamedGroup.Secp256r1], CipherSuites = [TlsCipherSuite.Aes256GcmSha384], TicketProtector = ring },
            new(_credentials[2])
            {
                CipherSuites = [TlsCipherSuite.ChaCha20Poly1305Sha256],
                TicketProtector = ring,
                ClientAuthentication = new TlsClientAuthentication([TestCertificates.Root]),
                CertificateCompression = [TlsCertificateCompression.Brotli],
            },
            new(_credentials[3])
            {
                CipherSuites = [TlsCipherSuite.Aes128GcmSha256],
                RecordSizeLimit = 4000,
                TicketProtector = ring,
                PreSharedKeys = new KeyTable(_keys),
                DangerousAcceptEarlyData = early,
            },
        ];
    }

    public IReadOnlyList<TlsServerOptions> Servers { get; }

    /// <summary>A client for a server.</summary>
    /// <param name="server">The server's number.</param>
    /// <param name="session">To be resumed; or null.</param>
    /// <param name="early">Whether it sends early data.</param>
    /// <param name="random">Decides the rest.</param>
    public TlsClientOptions Client(int server, TlsSession? session, bool early, Random random)
    {
        TlsNamedGroup[] groups = [.. s_groups];
        random.Shuffle(groups);
        bool pinned = random.Next(8) != 0;
        return new TlsClientOptions(TestCertificates.ServerName)
        {
            Groups = groups,
            KeyShareGroups = [groups[0]],
            TrustedRoots = [TestCertificates.Root],
            PinnedKeys = pinned ? [_pins[server]] : [],
            TrustPinnedKeysAlone = pinned,
            KeepSessions = true,
            Session = session,
            DangerousSendEarlyData = early,
            Credentials = server == WithClientCertificates ? [_credentials[0]] : [],
            PreSharedKeys = server == WithPreSharedKeys && session == null && random.Next(2) == 0 ? [_keys[random.Next(_keys.Length)]] : [],
            CertificateCompression = random.Next(2) == 0 ? [random.Next(2) == 0 ? TlsCertificateCompression.Zlib : TlsCertificateCompression.Brotli] : [],
            RecordSizeLimit = random.Next(4) == 0 ? random.Next(64, 16_386) : 16_385,
        };
    }

    public void Dispose()
    {
        foreach (TlsPreSharedKey key in _keys)
            key.Dispose();
    }
}
