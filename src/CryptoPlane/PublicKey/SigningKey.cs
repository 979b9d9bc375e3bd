using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Interop;

namespace CryptoPlane.PublicKey;

/// <summary>
/// A private key beside its certificate: for Ed25519 and id-RSASSA-PSS, whose private keys <see cref="X509Certificate2"/> cannot hold, and
/// for ECDSA and RSA as well. libcrypto holds it, and erases it when it is disposed of. Safe for every thread.
/// </summary>
public sealed unsafe class SigningKey : IDisposable
{
    private static readonly string[] s_labels = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"];

    private readonly KeyHandle _key;

    private SigningKey(nint key) => _key = new KeyHandle(key);

    /// <summary>Takes a key out of its DER encoding: PKCS #8, or the older ones of RSA (RFC 8017 §A.1.2) and of curves (RFC 5915 §3).</summary>
    /// <param name="der">Not encrypted. The caller erases it.</param>
    /// <exception cref="CryptographicException">It is no private key that libcrypto knows.</exception>
    public static SigningKey FromDer(ReadOnlySpan<byte> der)
    {
        nint key;
        bool whole;
        fixed (byte* start = der)
        {
            byte* at = start;
            key = LibCrypto.d2i_AutoPrivateKey(null, &at, der.Length);
            whole = at == start + der.Length;
        }
        if (key != 0 && whole)
            return new SigningKey(key);
        LibCrypto.EVP_PKEY_free(key);
        LibCrypto.ERR_clear_error();
        throw new CryptographicException("This is no private key in DER: give it as PKCS #8, not encrypted.");
    }

    /// <summary>Takes the first private key out of a text in PEM.</summary>
    /// <exception cref="CryptographicException">There is none, or it is encrypted.</exception>
    public static SigningKey FromPem(ReadOnlySpan<char> pem)
    {
        while (PemEncoding.TryFind(pem, out PemFields fields))
        {
            if (Array.IndexOf(s_labels, pem[fields.Label].ToString()) >= 0)
            {
                byte[] der = GC.AllocateArray<byte>(fields.DecodedDataLength, pinned: true);
                try
                {
                    Convert.TryFromBase64Chars(pem[fields.Base64Data], der, out int length);
                    return FromDer(der.AsSpan(0, length));
                }
                finally
                {
                    CryptographicOperations.ZeroMemory(der);
                }
            }
            pem = pem[fields.Location.End..];
        }
        throw new CryptographicException("There is no private key in the text, or it is encrypted: decrypt it first, for example with openssl pkey.");
    }

    /// <summary>The public key as SubjectPublicKeyInfo in DER, for a certificate request or a pin.</summary>
    public byte[] ExportSubjectPublicKeyInfo()
    {
        using KeyHandle.Use use = _key.Enter();
        byte[] der = new byte[Math.Max(0, LibCrypto.i2d_PUBKEY(use.Key, null))];
        fixed (byte* start = der)
        {
            byte* at = start;
            if (der.Length != 0 && LibCrypto.i2d_PUBKEY(use.Key, &at) == der.Length)
                return der;
        }
        LibCrypto.ERR_clear_error();
        throw new CryptographicException("libcrypto could not encode the public key.");
    }

    /// <summary>Whether the certificate's public key belongs to this key.</summary>
    public bool IsKeyOf(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        nint publicKey = EvpSignature.LoadPublicKey(certificate.PublicKey.ExportSubjectPublicKeyInfo());
        try
        {
            using KeyHandle.Use use = _key.Enter();
            return publicKey != 0 && LibCrypto.EVP_PKEY_eq(use.Key, publicKey) == 1;
        }
        finally
        {
            LibCrypto.EVP_PKEY_free(publicKey);
            LibCrypto.ERR_clear_error();
        }
    }

    /// <summary>Signs: 30 µs (ECDSA, Ed25519) to a millisecond (RSA), so control threads only.</summary>
    /// <returns>How many bytes of <paramref name="signature"/> were written.</returns>
    /// <exception cref="CryptographicException">The key is not one of the algorithm, or the signature does not fit <see cref="CertificateSignature.MaxSize"/> bytes.</exception>
    public int Sign(SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, Span<byte> signature)
    {
        using KeyHandle.Use use = _key.Enter();
        int length = EvpSignature.Sign(use.Key, algorithm, data, signature);
        return length >= 0
            ? length
            : throw new CryptographicException($"The private key cannot sign with {algorithm}, or the signature does not fit {signature.Length} bytes.");
    }

    /// <summary>Erases the key.</summary>
    public void Dispose() => _key.Dispose();

    /// <summary>An EVP_PKEY, freed behind its last use and by the finalizer at the latest.</summary>
    private sealed class KeyHandle : SafeHandle
    {
        public KeyHandle(nint key)
            : base(0, ownsHandle: true) => SetHandle(key);

        public override bool IsInvalid => handle == 0;

        public Use Enter()
        {
            bool entered = false;
            DangerousAddRef(ref entered);
            return new Use(this);
        }

        protected override bool ReleaseHandle()
        {
            LibCrypto.EVP_PKEY_free(handle);
            return true;
        }

        public readonly ref struct Use(KeyHandle owner)
        {
            public nint Key => owner.handle;

            public void Dispose() => owner.DangerousRelease();
        }
    }
}
