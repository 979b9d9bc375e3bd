using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike;
using VpnBroker.Configuration;

namespace VpnBroker.Ipsec;

/// <summary>The certificates of a peer's connection, read from their files.</summary>
internal sealed class CertificateFiles : IDisposable
{
    private readonly X509Certificate2Collection _all = [];

    private CertificateFiles()
    {
    }

    /// <summary>What we show.</summary>
    public required IkeCertificate Own { get; init; }

    /// <summary>What the peer's must lead to; null where no roots are named.</summary>
    public required IkeCertificateTrust? Trust { get; init; }

    /// <summary>Reads the files.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file is none of PEM, or the key is another certificate's.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file cannot be read.</exception>
    /// <exception cref="ArgumentException">A file holds no certificate.</exception>
    public static CertificateFiles Load(IpsecCredentials credentials)
    {
        // The first is ours; those between it and the root follow.
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(credentials.CertificateFile!);
        var roots = new X509Certificate2Collection();
        foreach (string file in credentials.TrustFiles)
            roots.ImportFromPemFile(file);
        X509Certificate2 own = X509Certificate2.CreateFromPemFile(credentials.CertificateFile!, credentials.KeyFile!);
        var files = new CertificateFiles { Own = new IkeCertificate(own, chain.Skip(1)), Trust = credentials.TrustFiles.Count == 0 ? null : new IkeCertificateTrust(roots) };
        files._all.AddRange(chain);
        files._all.AddRange(roots);
        files._all.Add(own);
        return files;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (X509Certificate2 certificate in _all)
            certificate.Dispose();
    }
}
