using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// A peer's certificate. A resumed connection has it in DER, from the session, and so has one whose server is known by its key: to decode it costs
/// more than everything else that such a handshake computes, so that it waits until somebody asks for it.
/// </summary>
internal sealed class RemoteCertificate : IDisposable
{
    private X509Certificate2? _certificate;
    private byte[]? _data;

    /// <summary>DER; empty if there is none.</summary>
    public byte[] Data => _data ?? _certificate?.RawData ?? [];

    /// <summary>
    /// The certificate, or null if there is none, or only one around a known key that cannot be decoded. It stays this object's.
    /// </summary>
    public X509Certificate2? Value => _certificate ??= _data == null ? null : PeerCertificateVerification.Load(_data);

    /// <summary>Takes a certificate over. One from before, which the application may be looking at, is left to the collector.</summary>
    public void Set(X509Certificate2? certificate) => (_certificate, _data) = (certificate, null);

    /// <summary>Takes a certificate in DER.</summary>
    public void Set(ReadOnlySpan<byte> data) => (_certificate, _data) = (null, data.ToArray());

    /// <inheritdoc/>
    public void Dispose()
    {
        _certificate?.Dispose();
        _certificate = null;
        _data = null;
    }
}
