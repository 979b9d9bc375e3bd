using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls;

/// <summary>
/// What a side shows for itself: a certificate with its private key and its intermediates, made ready once for any number of connections on
/// any thread.
/// </summary>
public sealed class TlsCredential
{
    private const int MaxOcspResponse = 16_384;

    private readonly CompressedChains _compressed = new();
    private readonly bool[] _supported;
    private readonly SigningKey? _key;
    private readonly List<ushort[]> _signedWith = [];
    private readonly List<byte[]> _issuers = [];
    private byte[]? _ocspResponse;

    /// <summary>Makes a certificate with its private key ready.</summary>
    /// <param name="certificate">With its private key: ECDSA on P-256, P-384 or P-521, or RSA of at least 2048 bits. It stays the caller's, and must live as long as this object is used.</param>
    /// <param name="intermediates">The certificates between it and the root, the issuer first, without the root; sent as they are.</param>
    /// <exception cref="ArgumentException">The private key is missing, or of a kind that TLS 1.3 cannot sign with here.</exception>
    public TlsCredential(X509Certificate2 certificate, IEnumerable<X509Certificate2>? intermediates = null)
        : this(certificate, null, intermediates)
    {
    }

    /// <summary>Makes a certificate ready whose private key is beside it, as those of Ed25519 and id-RSASSA-PSS must be.</summary>
    /// <param name="certificate">Without its private key. It stays the caller's, and must live as long as this object is used.</param>
    /// <param name="key">The certificate's private key. It stays the caller's, and must live as long as this object is used; null if the certificate has it.</param>
    /// <param name="intermediates">The certificates between it and the root, the issuer first, without the root; sent as they are.</param>
    /// <exception cref="ArgumentException">The key is not the certificate's, or of a kind that TLS 1.3 cannot sign with here.</exception>
    public TlsCredential(X509Certificate2 certificate, SigningKey? key, IEnumerable<X509Certificate2>? intermediates = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (key == null && !certificate.HasPrivateKey)
        {
            throw new ArgumentException(
                "The certificate has no private key: load it with its key, for example with X509Certificate2.CreateFromPemFile or TlsCredential.FromPem.", nameof(certificate));
        }
        if (key?.IsKeyOf(certificate) == false)
            throw new ArgumentException("The private key is not the certificate's.", nameof(key));
        _supported = [.. TlsSignatureSchemes.Default.Select(scheme => CertificateSignature.Supports(certificate, scheme.Algorithm()))];
        if (!_supported.Contains(true))
            throw new ArgumentException("The certificate's key is neither ECDSA on P-256, P-384 or P-521, nor Ed25519, nor RSA of at least 2048 bits.", nameof(certificate));
        _key = key;
        Certificate = certificate;
        List<byte[]> chain = [];
        foreach (X509Certificate2 one in (IEnumerable<X509Certificate2>)[certificate, .. intermediates ?? []])
        {
            chain.Add(one.RawData);
            _issuers.Add(one.IssuerName.RawData);
            // RFC 8446 §4.2.3, §4.4.2.2: a certificate that signed itself is not verified by that signature.
            if (!one.IssuerName.RawData.AsSpan().SequenceEqual(one.SubjectName.RawData))
                _signedWith.Add(CertificateSignatureSchemes.Of(one));
        }
        Chain = chain;
    }

    /// <summary>Makes certificates and a private key in PEM ready, of every kind that is supported.</summary>
    /// <param name="certificates">The own certificate, and its intermediates behind it, the issuer first.</param>
    /// <param name="key">Its private key, not encrypted.</param>
    /// <exception cref="ArgumentException">There is no certificate, or the key is not its own, or of a kind that TLS 1.3 cannot sign with here.</exception>
    /// <exception cref="CryptographicException">The text holds what cannot be decoded.</exception>
    public static TlsCredential FromPem(ReadOnlySpan<char> certificates, ReadOnlySpan<char> key)
    {
        X509Certificate2Collection chain = [];
        chain.ImportFromPem(certificates);
        return chain.Count == 0
            ? throw new ArgumentException("There is no certificate in the text.", nameof(certificates))
            : new TlsCredential(chain[0], SigningKey.FromPem(key), chain.Skip(1));
    }

    /// <summary>The own certificate.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>
    /// Sets the OCSP response (RFC 6960) that goes along with the certificate to peers that ask for one (RFC 8446 §4.4.2.1). It may be
    /// replaced at any time on any thread: handshakes take the one or the other. Whoever fetches it from the issuer does so again before its
    /// nextUpdate; what is in it is not looked at here.
    /// </summary>
    /// <param name="response">DER; copied. Empty for none.</param>
    /// <exception cref="ArgumentException">It has more than 16,384 bytes.</exception>
    public void SetOcspResponse(ReadOnlySpan<byte> response)
    {
        if (response.Length > MaxOcspResponse)
            throw new ArgumentException($"An OCSP response has at most {MaxOcspResponse} bytes here, not {response.Length}.", nameof(response));
        Volatile.Write(ref _ocspResponse, response.IsEmpty ? null : response.ToArray());
    }

    /// <summary>DER, the own certificate first.</summary>
    internal IReadOnlyList<byte[]> Chain { get; }

    /// <summary>
    /// Writes the Certificate, or a CompressedCertificate (RFC 8879) in its place, as the peer wants it. What is compressed is kept, so it is
    /// for the empty context of a handshake alone.
    /// </summary>
    /// <returns>How it is compressed.</returns>
    internal TlsCertificateCompression WriteCertificate(WireWriter writer, ReadOnlySpan<byte> requestContext, CertificateForm form)
    {
        byte[]? ocspResponse = form.WithOcspResponse ? Volatile.Read(ref _ocspResponse) : null;
        if (form.Compression != TlsCertificateCompression.None && requestContext.IsEmpty && _compressed.Get(form.Compression, Chain, ocspResponse) is { } message)
        {
            writer.WriteBytes(message);
            return form.Compression;
        }
        CertificateMessage.Write(writer, requestContext, Chain, ocspResponse);
        return TlsCertificateCompression.None;
    }

    /// <summary>Whether the certificate's key can sign with a scheme.</summary>
    internal bool Supports(TlsSignatureScheme scheme)
    {
        for (int i = 0; i < _supported.Length; i++)
        {
            if (TlsSignatureSchemes.Default[i] == scheme)
                return _supported[i];
        }
        return false;
    }

    /// <summary>Whether every certificate of the chain is signed with one of the schemes (RFC 8446 §4.2.3, §4.4.2.2).</summary>
    internal bool IsSignedWith(CodePointList schemes)
    {
        foreach (ushort[] candidates in _signedWith)
        {
            bool found = false;
            foreach (ushort candidate in candidates)
                found |= schemes.Contains(candidate);
            if (!found)
                return false;
        }
        return true;
    }

    /// <summary>Whether a certificate of the chain is signed with SHA-1, and the schemes do not have that (RFC 8446 §4.4.2.2).</summary>
    internal bool IsSignedWithUnlistedSha1(CodePointList schemes)
    {
        foreach (ushort[] candidates in _signedWith)
        {
            foreach (ushort candidate in candidates)
            {
                if (CertificateSignatureSchemes.IsSha1(candidate) && !schemes.Contains(candidate))
                    return true;
            }
        }
        return false;
    }

    /// <summary>Whether one of the authorities has issued a certificate of the chain (RFC 8446 §4.4.2.3).</summary>
    internal bool IsIssuedBy(CertificateAuthoritiesExtension.NameList authorities)
    {
        foreach (byte[] issuer in _issuers)
        {
            if (authorities.Contains(issuer))
                return true;
        }
        return false;
    }

    /// <summary>Signs with a scheme that is supported.</summary>
    /// <exception cref="CryptographicException">The key cannot be used.</exception>
    internal int Sign(TlsSignatureScheme scheme, ReadOnlySpan<byte> content, Span<byte> signature) => _key != null
        ? _key.Sign(scheme.Algorithm(), content, signature)
        : CertificateSignature.Sign(Certificate, scheme.Algorithm(), content, signature);
}
