using System.Security.Cryptography;
using System.Text;
using CryptoPlane.Interop;

namespace CryptoPlane.PublicKey;

/// <summary>X25519, and ECDH on a prime curve, through libcrypto's EVP: both sides send a public key, and the secret is the x coordinate.</summary>
/// <remarks>EVP and not the framework's classes, since those throw on a peer's invalid point: an exception that an attacker could buy with 65 bytes.</remarks>
internal sealed unsafe class DiffieHellmanGroup : KeyExchangeGroup
{
    private const byte UncompressedPoint = 4;

    private readonly byte[] _algorithm;
    private readonly byte[] _curve;

    /// <param name="name">For people.</param>
    /// <param name="algorithm">OpenSSL's name of the key type, zero-terminated.</param>
    /// <param name="curve">OpenSSL's name of the curve, zero-terminated; empty where the key type says it all.</param>
    /// <param name="shareSize">Bytes of a public key on the wire.</param>
    /// <param name="secretSize">Bytes of an x coordinate.</param>
    internal DiffieHellmanGroup(string name, ReadOnlySpan<byte> algorithm, ReadOnlySpan<byte> curve, int shareSize, int secretSize)
        : base(name, shareSize, shareSize, secretSize)
    {
        _algorithm = algorithm.ToArray();
        _curve = curve.ToArray();
    }

    /// <inheritdoc/>
    public override KeyExchangeInitiator CreateInitiator()
    {
        nint key = GenerateKey();
        byte[] share = new byte[InitiatorShareSize];
        try
        {
            ExportPublicKey(key, share);
        }
        catch
        {
            LibCrypto.EVP_PKEY_free(key);
            throw;
        }
        return new DiffieHellmanInitiator(this, key, share);
    }

    /// <inheritdoc/>
    public override bool TryRespond(ReadOnlySpan<byte> initiatorShare, Span<byte> responderShare, Span<byte> secret)
    {
        CheckOutputs(responderShare, secret);
        nint key = GenerateKey();
        try
        {
            ExportPublicKey(key, responderShare);
            if (TryDerive(key, initiatorShare, secret))
                return true;
            responderShare.Clear();
            return false;
        }
        finally
        {
            LibCrypto.EVP_PKEY_free(key);
        }
    }

    /// <summary>Multiplies the peer's point by a private key, after checking it.</summary>
    internal bool TryDerive(nint privateKey, ReadOnlySpan<byte> peerShare, Span<byte> secret)
    {
        secret.Clear();
        // RFC 8446 §4.2.8.2: points of the NIST curves are in the uncompressed form only; EVP alone would take the compressed one too.
        if (peerShare.Length != InitiatorShareSize || (_curve.Length != 0 && peerShare[0] != UncompressedPoint))
            return false;

        nint peer = LibCrypto.EVP_PKEY_new();
        nint context = 0;
        try
        {
            // RFC 8446 §4.2.8.2: the point must be on the curve. EVP_PKEY_set1_encoded_public_key refuses one that is not; since the
            // curves have cofactor 1, that is the whole of the public key validation, and the order need not be checked again below.
            fixed (byte* share = peerShare)
            {
                if (peer == 0 || LibCrypto.EVP_PKEY_copy_parameters(peer, privateKey) != 1
                    || LibCrypto.EVP_PKEY_set1_encoded_public_key(peer, share, (nuint)peerShare.Length) != 1)
                    return Refuse();
            }
            context = LibCrypto.EVP_PKEY_CTX_new_from_pkey(0, privateKey, null);
            nuint length = (nuint)secret.Length;
            fixed (byte* output = secret)
            {
                if (context == 0 || LibCrypto.EVP_PKEY_derive_init(context) != 1
                    || LibCrypto.EVP_PKEY_derive_set_peer_ex(context, peer, 0) != 1
                    || LibCrypto.EVP_PKEY_derive(context, output, &length) != 1
                    || length != (nuint)secret.Length)
                {
                    secret.Clear();
                    return Refuse();
                }
            }
            // RFC 7748 §6.1 and RFC 8446 §7.4.2: an all-zero X25519 secret means a point of small order; looked at without a branch per
            // byte. On the NIST curves x = 0 is a coordinate as good as any.
            return _curve.Length != 0 || !IsZero(secret);
        }
        finally
        {
            LibCrypto.EVP_PKEY_CTX_free(context);
            LibCrypto.EVP_PKEY_free(peer);
        }
    }

    private nint GenerateKey()
    {
        nint key = 0;
        fixed (byte* algorithm = _algorithm, curve = _curve)
        {
            nint context = LibCrypto.EVP_PKEY_CTX_new_from_name(0, algorithm, null);
            bool made = context != 0 && LibCrypto.EVP_PKEY_keygen_init(context) == 1
                && (curve == null || LibCrypto.EVP_PKEY_CTX_set_group_name(context, curve) == 1)
                && LibCrypto.EVP_PKEY_generate(context, &key) == 1;
            LibCrypto.EVP_PKEY_CTX_free(context);
            if (!made)
                throw Failed("generate a key");
        }
        return key;
    }

    private void ExportPublicKey(nint key, Span<byte> share)
    {
        nuint length;
        fixed (byte* name = "encoded-pub-key\0"u8, output = share)
        {
            if (LibCrypto.EVP_PKEY_get_octet_string_param(key, name, output, (nuint)share.Length, &length) == 1 && length == (nuint)share.Length)
                return;
        }
        throw Failed("export a public key");
    }

    private CryptographicException Failed(string what)
    {
        LibCrypto.ERR_clear_error();
        return new CryptographicException($"libcrypto could not {what} of {Encoding.ASCII.GetString(_algorithm).TrimEnd('\0')} {Name}: check that its default provider is loaded.");
    }

    /// <summary>Forgets libcrypto's error, lest the framework find it behind a failure of its own on this thread.</summary>
    private static bool Refuse()
    {
        LibCrypto.ERR_clear_error();
        return false;
    }

    private static bool IsZero(ReadOnlySpan<byte> secret)
    {
        int bits = 0;
        foreach (byte value in secret)
            bits |= value;
        return bits == 0;
    }
}
