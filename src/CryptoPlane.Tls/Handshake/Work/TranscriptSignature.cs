using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls.Handshake;

/// <summary>This side's signature over the transcript, for its CertificateVerify (RFC 8446 §4.4.3).</summary>
internal sealed class TranscriptSignature(TlsCredential credential, TlsSignatureScheme scheme, byte[] content) : TlsPendingWork(TlsStatus.NeedsSignature)
{
    private byte[] _signature = [];

    public TlsSignatureScheme Scheme { get; } = scheme;

    public ReadOnlySpan<byte> Signature => _signature;

    private protected override TlsError? Run()
    {
        Span<byte> buffer = stackalloc byte[CertificateSignature.MaxSize];
        int length = credential.Sign(Scheme, content, buffer);
        _signature = buffer[..length].ToArray();
        return null;
    }
}
