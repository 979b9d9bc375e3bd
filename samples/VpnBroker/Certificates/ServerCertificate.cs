using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using VpnBroker.Configuration;
using VpnBroker.Storage;

namespace VpnBroker.Certificates;

/// <summary>The server's certificate with its chain and key, and the pin that clients may know it by.</summary>
public sealed class ServerCertificate : IDisposable
{
    /// <summary>How long a self-signed certificate is valid.</summary>
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(825);

    private ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection chain, bool created)
    {
        Certificate = certificate;
        Chain = chain;
        Created = created;
    }

    /// <summary>The server's own certificate, with its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The certificates behind it, in the order of the file.</summary>
    public X509Certificate2Collection Chain { get; }

    /// <summary>Whether it was made by this call.</summary>
    public bool Created { get; }

    /// <summary>SHA-256 of the public key, as openconnect's <c>--servercert</c> takes it: <c>pin-sha256:…</c>.</summary>
    public string Pin => "pin-sha256:" + Convert.ToBase64String(SHA256.HashData(Certificate.PublicKey.ExportSubjectPublicKeyInfo()));

    /// <summary>Reads the files; makes a self-signed certificate when neither exists and the configuration says so.</summary>
    /// <exception cref="ServerCertificateException">The files cannot be used; the message says what to do.</exception>
    public static ServerCertificate Load(CertificateConfig config, TimeProvider clock)
    {
        try
        {
            bool create = config.SelfSigned && !File.Exists(config.CertificateFile) && !File.Exists(config.KeyFile);
            if (create)
                Create(config, clock.GetUtcNow());
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(config.CertificateFile);
            if (chain.Count == 0)
                throw new ServerCertificateException($"{config.CertificateFile} has no certificate in it: put a PEM certificate there, the server's own first");
            chain.RemoveAt(0);
            return new ServerCertificate(X509Certificate2.CreateFromPemFile(config.CertificateFile, config.KeyFile), chain, create);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new ServerCertificateException(
                $"the certificate {config.CertificateFile} with key {config.KeyFile} cannot be used: {e.Message} (certificate.selfSigned: true makes both when neither exists)");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Certificate.Dispose();
        foreach (X509Certificate2 certificate in Chain)
            certificate.Dispose();
    }

    private static void Create(CertificateConfig config, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(config.Names[0]);
        var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (string text in config.Names)
        {
            if (IPAddress.TryParse(text, out IPAddress? address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(text);
        }
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)); // serverAuth
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddHours(-1), now + s_lifetime);

        const UnixFileMode everyoneReads = AtomicFile.OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        byte[] pem = Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n");
        AtomicFile.Write(config.KeyFile, pem, AtomicFile.OwnerOnly);
        CryptographicOperations.ZeroMemory(pem);
        AtomicFile.Write(config.CertificateFile, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"), everyoneReads);
    }
}

/// <summary>A certificate that cannot be used; the message says what to do.</summary>
public sealed class ServerCertificateException(string message) : Exception(message);
