using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Streams;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using SystemCipherSuite = System.Net.Security.TlsCipherSuite;

namespace CryptoPlane.Tls.AspNetCore;

/// <summary>
/// The features of a connection, taken when its handshake is complete: they stay readable when it has ended. Kestrel takes the scheme from
/// <see cref="ITlsConnectionFeature"/>, HTTP/2 from <see cref="ITlsApplicationProtocolFeature"/>, and demands <see cref="ITlsHandshakeFeature"/> for it.
/// </summary>
internal sealed class TlsFeatures(CryptoPlaneSslStream stream)
    : ITlsConnectionFeature, ITlsApplicationProtocolFeature, ITlsHandshakeFeature, ICryptoPlaneTlsFeature
{
    private readonly SystemCipherSuite _cipherSuite = stream.NegotiatedCipherSuite;

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> ApplicationProtocol { get; } = stream.NegotiatedApplicationProtocol.Protocol;

    /// <inheritdoc/>
    public X509Certificate2? ClientCertificate { get; set; } = (X509Certificate2?)stream.RemoteCertificate;

    /// <inheritdoc/>
    public SslProtocols Protocol => SslProtocols.Tls13;

    /// <inheritdoc/>
    public SystemCipherSuite? NegotiatedCipherSuite => _cipherSuite;

    /// <inheritdoc/>
    public string HostName { get; } = stream.TargetHostName;

    /// <inheritdoc/>
    public TlsNamedGroup NegotiatedGroup { get; } = stream.NegotiatedGroup;

    /// <inheritdoc/>
    public bool IsResumed { get; } = stream.IsResumed;

#pragma warning disable SYSLIB0058 // The interface still has them; they say for TLS 1.3 what SslStream says.
    /// <inheritdoc/>
    public CipherAlgorithmType CipherAlgorithm => _cipherSuite switch
    {
        SystemCipherSuite.TLS_AES_128_GCM_SHA256 => CipherAlgorithmType.Aes128,
        SystemCipherSuite.TLS_AES_256_GCM_SHA384 => CipherAlgorithmType.Aes256,
        _ => CipherAlgorithmType.None,
    };

    /// <inheritdoc/>
    public int CipherStrength => _cipherSuite == SystemCipherSuite.TLS_AES_128_GCM_SHA256 ? 128 : 256;

    /// <inheritdoc/>
    public HashAlgorithmType HashAlgorithm =>
        _cipherSuite == SystemCipherSuite.TLS_AES_256_GCM_SHA384 ? HashAlgorithmType.Sha384 : HashAlgorithmType.Sha256;

    /// <inheritdoc/>
    public int HashStrength => 0;

    /// <inheritdoc/>
    public ExchangeAlgorithmType KeyExchangeAlgorithm => ExchangeAlgorithmType.None;

    /// <inheritdoc/>
    public int KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058

    /// <inheritdoc/>
    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

    /// <inheritdoc/>
    public void ExportKeyingMaterial(string label, ReadOnlySpan<byte> context, Span<byte> output) => stream.ExportKeyingMaterial(label, context, output);

    /// <summary>Puts them where Kestrel and the application look for them.</summary>
    public void AddTo(IFeatureCollection features)
    {
        features.Set<ITlsConnectionFeature>(this);
        features.Set<ITlsApplicationProtocolFeature>(this);
        features.Set<ITlsHandshakeFeature>(this);
        features.Set<ICryptoPlaneTlsFeature>(this);
    }
}
