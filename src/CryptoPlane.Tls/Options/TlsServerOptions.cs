namespace CryptoPlane.Tls;

/// <summary>What a server needs: its certificate, or a way to choose one by the name that the client asks for.</summary>
public sealed class TlsServerOptions : TlsOptions
{
    /// <summary>Makes options with one certificate, whatever name the client asks for.</summary>
    public TlsServerOptions(TlsServerCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        CertificateSelector = _ => certificate;
    }

    /// <summary>Makes options with a certificate per name.</summary>
    /// <param name="certificateSelector">
    /// Takes the name that the client asks for (SNI; null if it asks for none) and gives the certificate, or null to refuse the client
    /// with unrecognized_name. Called on the thread that runs the handshake, for every connection: it must be quick and not throw.
    /// </param>
    public TlsServerOptions(Func<string?, TlsServerCertificate?> certificateSelector)
    {
        ArgumentNullException.ThrowIfNull(certificateSelector);
        CertificateSelector = certificateSelector;
    }

    /// <summary>From the client's server_name (null if there is none) to the certificate, or null to refuse.</summary>
    public Func<string?, TlsServerCertificate?> CertificateSelector { get; }
}
