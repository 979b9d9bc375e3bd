using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>The test certificates as PEM files, for programs; made once per test class.</summary>
public sealed class InteropFiles : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public InteropFiles()
    {
        File.WriteAllText(Root, TestCertificates.Root.ExportCertificatePem());
        foreach (string name in InteropCases.AllCertificates)
        {
            X509Certificate2 certificate = InteropCases.Certificate(name);
            File.WriteAllText(CertificateOf(name), certificate.ExportCertificatePem());
            File.WriteAllText(KeyOf(name), InteropCases.Key(name));
        }
        File.WriteAllText(DataFile, Text);
    }

    /// <summary>What is sent both ways: 100 KB in lines, since programs' output is collected as text.</summary>
    public string Text { get; } = MakeText(100_000);

    public byte[] Data => Encoding.ASCII.GetBytes(Text);

    public string DataFile => _directory.File("data");

    public string Root => _directory.File("root.pem");

    public string CertificateOf(string name) => _directory.File(name + ".pem");

    public string KeyOf(string name) => _directory.File(name + ".key");

    /// <summary>A path for a file that does not exist yet.</summary>
    public string NewFile() => _directory.File(Guid.NewGuid().ToString("N"));

    public void Dispose() => _directory.Dispose();

    private static string MakeText(int length)
    {
        byte[] random = new byte[length];
        Random.Shared.NextBytes(random);
        return Convert.ToBase64String(random, Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")[..(length - 1)] + "\n";
    }
}

/// <summary>What is combined with what, and how programs call it.</summary>
internal static class InteropCases
{
    public const string ServerName = TestCertificates.ServerName;

    public static readonly string[] Certificates = ["p256", "p384", "rsa"];

    /// <summary>A certificate of every kind of key.</summary>
    public static readonly string[] AllCertificates = ["p256", "p384", "p521", "rsa", "rsapss", "ed25519"];

    public static readonly TlsCipherSuite[] Suites = [TlsCipherSuite.Aes128GcmSha256, TlsCipherSuite.Aes256GcmSha384, TlsCipherSuite.ChaCha20Poly1305Sha256];

    public static readonly TlsNamedGroup[] Groups = [TlsNamedGroup.X25519, TlsNamedGroup.Secp256r1, TlsNamedGroup.Secp384r1];

    /// <summary>Every suite with every group; the certificate changes along, so that each meets each suite and each group.</summary>
    public static TheoryData<TlsCipherSuite, TlsNamedGroup, string> All()
    {
        var data = new TheoryData<TlsCipherSuite, TlsNamedGroup, string>();
        for (int suite = 0; suite < Suites.Length; suite++)
        {
            for (int group = 0; group < Groups.Length; group++)
                data.Add(Suites[suite], Groups[group], Certificates[(suite + group) % Certificates.Length]);
        }
        return data;
    }

    public static X509Certificate2 Certificate(string name) => name switch
    {
        "p384" => TestCertificates.EcdsaP384,
        "p521" => TestCertificates.EcdsaP521,
        "rsa" => TestCertificates.Rsa2048,
        "rsapss" => TestCertificates.RsaPss.Certificate,
        "ed25519" => TestCertificates.Ed25519.Certificate,
        _ => TestCertificates.EcdsaP256,
    };

    /// <summary>The certificate's private key in PEM.</summary>
    public static string Key(string name)
    {
        if (name is "rsapss" or "ed25519")
            return (name == "rsapss" ? TestCertificates.RsaPss : TestCertificates.Ed25519).KeyPem;
        using AsymmetricAlgorithm key = (AsymmetricAlgorithm?)Certificate(name).GetECDsaPrivateKey() ?? Certificate(name).GetRSAPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }

    /// <summary>The certificate with its private key, for our side.</summary>
    public static TlsCredential Credential(string name) => TlsCredential.FromPem(Certificate(name).ExportCertificatePem(), Key(name));

    /// <summary>The group that a client offers first where a HelloRetryRequest is wanted.</summary>
    public static TlsNamedGroup Other(TlsNamedGroup group) => group == TlsNamedGroup.Secp384r1 ? TlsNamedGroup.Secp256r1 : TlsNamedGroup.Secp384r1;

    public static string OpenSslSuite(TlsCipherSuite suite) => suite switch
    {
        TlsCipherSuite.Aes128GcmSha256 => "TLS_AES_128_GCM_SHA256",
        TlsCipherSuite.Aes256GcmSha384 => "TLS_AES_256_GCM_SHA384",
        _ => "TLS_CHACHA20_POLY1305_SHA256",
    };

    public static string OpenSslGroup(TlsNamedGroup group) => group switch
    {
        TlsNamedGroup.X25519 => "X25519",
        TlsNamedGroup.Secp256r1 => "P-256",
        _ => "P-384",
    };

    /// <summary>A priority string of GnuTLS: TLS 1.3, one suite, some groups in order.</summary>
    public static string GnuTlsPriority(TlsCipherSuite suite, params TlsNamedGroup[] groups)
    {
        string cipher = suite switch
        {
            TlsCipherSuite.Aes128GcmSha256 => "AES-128-GCM",
            TlsCipherSuite.Aes256GcmSha384 => "AES-256-GCM",
            _ => "CHACHA20-POLY1305",
        };
        string names = string.Concat(groups.Select(group => group switch
        {
            TlsNamedGroup.X25519 => ":+GROUP-X25519",
            TlsNamedGroup.Secp256r1 => ":+GROUP-SECP256R1",
            _ => ":+GROUP-SECP384R1",
        }));
        return $"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{cipher}:-GROUP-ALL{names}";
    }
}
