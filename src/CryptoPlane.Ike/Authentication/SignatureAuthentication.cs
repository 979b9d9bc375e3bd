using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Authentication;

/// <summary>
/// AUTH by a certificate's key: RFC 7427's digital signatures, and the older methods for peers without them. Costs up to a millisecond.
/// </summary>
/// <remarks>
/// SHA-1 is neither made nor taken. RFC 7296 §3.8 makes it the default of method 1 (RSA), and RFC 8247 §4.1 forbids it, so method 1 is only
/// taken with SHA-2, and never made: peers with RSA certificates need RFC 7427.
/// </remarks>
internal static class SignatureAuthentication
{
    /// <summary>Signs our octets with the certificate's private key.</summary>
    /// <param name="certificate">With its private key.</param>
    /// <param name="octets">Of our side, from <see cref="SignedOctets"/>.</param>
    /// <param name="peerHashes">The hashes of the peer's SIGNATURE_HASH_ALGORITHMS; null if it sent none, and so lacks RFC 7427.</param>
    /// <returns>Null where the peer takes no signature that this key can make.</returns>
    /// <exception cref="CryptographicException">The private key is missing or cannot be used.</exception>
    public static AuthenticationPayload? Sign(X509Certificate2 certificate, ReadOnlySpan<byte> octets, IReadOnlyCollection<ushort>? peerHashes)
    {
        CertificateKey key = CertificateKeys.Of(certificate);
        if (key == CertificateKey.Unusable)
            return null;
        if (peerHashes == null)
        {
            AuthenticationMethod old = OldMethod(key);
            return old == AuthenticationMethod.RsaSignature ? null
                : new AuthenticationPayload(old, SignEcdsa(certificate, octets, key.PreferredHash(), DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
        }
        // The hash of the key's strength, then the stronger, then the weaker ones.
        foreach (SignatureHash hash in SignatureHashes.All.OrderBy(hash => (hash < key.PreferredHash(), hash)))
        {
            if (!peerHashes.Contains((ushort)hash))
                continue;
            // RFC 8247 §4.1: RSASSA-PSS with RFC 7427.
            SignatureScheme scheme = new(key == CertificateKey.Rsa ? SignatureKind.RsaPss : SignatureKind.Ecdsa, hash);
            byte[] signature = key == CertificateKey.Rsa
                ? SignRsaPss(certificate, octets, hash)
                : SignEcdsa(certificate, octets, hash, DSASignatureFormat.Rfc3279DerSequence);
            // RFC 7427 §3: the length of the AlgorithmIdentifier, itself, the signature.
            return new AuthenticationPayload(AuthenticationMethod.DigitalSignature, [(byte)scheme.Identifier.Length, .. scheme.Identifier, .. signature]);
        }
        return null;
    }

    /// <summary>Verifies a peer's AUTH with the key of its certificate. Whether the certificate is good is another question.</summary>
    /// <param name="certificate">The peer's.</param>
    /// <param name="auth">The peer's.</param>
    /// <param name="octets">Of the peer's side.</param>
    public static bool Verify(X509Certificate2 certificate, AuthenticationPayload auth, ReadOnlySpan<byte> octets)
    {
        CertificateKey key = CertificateKeys.Of(certificate);
        if (key == CertificateKey.Unusable)
            return false;
        try
        {
            if (auth.Method != AuthenticationMethod.DigitalSignature)
                return auth.Method == OldMethod(key) && VerifyOld(certificate, key, auth.Data, octets);
            ReadOnlySpan<byte> data = auth.Data;
            if (data.IsEmpty || data.Length <= 1 + data[0] || !SignatureScheme.TryFind(data.Slice(1, data[0]), out SignatureScheme scheme))
                return false;
            ReadOnlySpan<byte> signature = data[(1 + data[0])..];
            return key == CertificateKey.Rsa
                ? scheme.Kind != SignatureKind.Ecdsa && VerifyRsa(certificate, scheme, signature, octets)
                : scheme.Kind == SignatureKind.Ecdsa && VerifyEcdsa(certificate, scheme.Hash, signature, octets, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            // A signature whose DER cannot be decoded, or a key that is no point of its curve.
            return false;
        }
    }

    /// <summary>The method of RFC 7296 and RFC 4754 that goes with the key: with a curve goes one hash.</summary>
    private static AuthenticationMethod OldMethod(CertificateKey key) => key switch
    {
        CertificateKey.EcdsaP256 => AuthenticationMethod.EcdsaSha256P256,
        CertificateKey.EcdsaP384 => AuthenticationMethod.EcdsaSha384P384,
        CertificateKey.EcdsaP521 => AuthenticationMethod.EcdsaSha512P521,
        _ => AuthenticationMethod.RsaSignature,
    };

    private static bool VerifyOld(X509Certificate2 certificate, CertificateKey key, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> octets)
    {
        // RFC 4754 §7: r and s side by side, without DER.
        if (key != CertificateKey.Rsa)
            return VerifyEcdsa(certificate, key.PreferredHash(), signature, octets, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        // RFC 7296 §3.8: the hash is found in the signature only.
        foreach (SignatureHash hash in SignatureHashes.All)
        {
            if (VerifyRsa(certificate, new SignatureScheme(SignatureKind.RsaPkcs1, hash), signature, octets))
                return true;
        }
        return false;
    }

    private static byte[] SignEcdsa(X509Certificate2 certificate, ReadOnlySpan<byte> octets, SignatureHash hash, DSASignatureFormat format)
    {
        using ECDsa ecdsa = certificate.GetECDsaPrivateKey() ?? throw NoKey();
        return ecdsa.SignData(octets, hash.Name(), format);
    }

    private static byte[] SignRsaPss(X509Certificate2 certificate, ReadOnlySpan<byte> octets, SignatureHash hash)
    {
        using RSA rsa = certificate.GetRSAPrivateKey() ?? throw NoKey();
        // The framework's Pss means a salt as long as the digest.
        return rsa.SignData(octets, hash.Name(), RSASignaturePadding.Pss);
    }

    private static bool VerifyEcdsa(
        X509Certificate2 certificate, SignatureHash hash, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> octets, DSASignatureFormat format)
    {
        using ECDsa? ecdsa = certificate.GetECDsaPublicKey();
        return ecdsa != null && ecdsa.VerifyData(octets, signature, hash.Name(), format);
    }

    private static bool VerifyRsa(X509Certificate2 certificate, SignatureScheme scheme, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> octets)
    {
        using RSA? rsa = certificate.GetRSAPublicKey();
        return rsa != null
            && rsa.VerifyData(octets, signature, scheme.Hash.Name(), scheme.Kind == SignatureKind.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }

    private static CryptographicException NoKey() =>
        new("The certificate has no private key: load it with its key, for example with X509Certificate2.CreateFromPemFile.");
}
