using System.Text;
using CryptoPlane.Interop;

namespace CryptoPlane.PublicKey;

/// <summary>Signatures through libcrypto's EVP, by an algorithm's parameters.</summary>
internal static unsafe class EvpSignature
{
    /// <summary>Decodes a public key.</summary>
    /// <param name="subjectPublicKeyInfo">DER.</param>
    /// <returns>For the caller to free; 0 if it cannot be decoded.</returns>
    public static nint LoadPublicKey(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        fixed (byte* der = subjectPublicKeyInfo)
        {
            byte* at = der;
            nint key = LibCrypto.d2i_PUBKEY(null, &at, subjectPublicKeyInfo.Length);
            if (key == 0)
                LibCrypto.ERR_clear_error();
            return key;
        }
    }

    /// <summary>Signs.</summary>
    /// <returns>The signature's length; -1 if the key is not of the algorithm, or the room does not suffice.</returns>
    public static int Sign(nint key, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, Span<byte> signature)
    {
        nint context = LibCrypto.EVP_MD_CTX_new();
        nuint length = (nuint)signature.Length;
        bool signed;
        fixed (byte* input = data, output = signature)
        {
            signed = context != 0 && Begin(context, key, algorithm, signs: true)
                && LibCrypto.EVP_DigestSign(context, output, &length, input, (nuint)data.Length) == 1;
        }
        LibCrypto.EVP_MD_CTX_free(context);
        if (signed)
            return (int)length;
        LibCrypto.ERR_clear_error();
        return -1;
    }

    /// <summary>Verifies; false also for a key that is not of the algorithm.</summary>
    public static bool Verify(nint key, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        nint context = LibCrypto.EVP_MD_CTX_new();
        bool valid;
        fixed (byte* input = data, presented = signature)
        {
            valid = context != 0 && Begin(context, key, algorithm, signs: false)
                && LibCrypto.EVP_DigestVerify(context, presented, (nuint)signature.Length, input, (nuint)data.Length) == 1;
        }
        LibCrypto.EVP_MD_CTX_free(context);
        if (!valid)
            LibCrypto.ERR_clear_error();
        return valid;
    }

    private static bool Begin(nint context, nint key, SignatureAlgorithm algorithm, bool signs)
    {
        // RFC 8032 §5.1: Ed25519 hashes by itself.
        if (algorithm == SignatureAlgorithm.Ed25519)
            return Begin(context, key, null, null, signs);
        byte[] digest = Encoding.ASCII.GetBytes(algorithm.Hash().Name + "\0");
        fixed (byte* name = digest, padName = "pad-mode\0"u8, pad = "pss\0"u8, saltName = "saltlen\0"u8, salt = "digest\0"u8, maskName = "mgf1-digest\0"u8)
        {
            if (algorithm.CurveParameters() != null)
                return Begin(context, key, name, null, signs);
            // RFC 8446 §4.2.3: MGF1 with the same hash, and a salt as long as its digest.
            LibCrypto.Parameter* parameters = stackalloc LibCrypto.Parameter[4];
            parameters[0] = Text(padName, pad, 3);
            parameters[1] = Text(maskName, name, digest.Length - 1);
            parameters[2] = Text(saltName, salt, 6);
            parameters[3] = default;
            return Begin(context, key, name, parameters, signs);
        }
    }

    private static bool Begin(nint context, nint key, byte* digest, LibCrypto.Parameter* parameters, bool signs) => 1 == (signs
        ? LibCrypto.EVP_DigestSignInit_ex(context, null, digest, 0, null, key, parameters)
        : LibCrypto.EVP_DigestVerifyInit_ex(context, null, digest, 0, null, key, parameters));

    private static LibCrypto.Parameter Text(byte* key, byte* value, int length) =>
        new() { Key = key, DataType = LibCrypto.ParameterUtf8String, Data = value, DataSize = (nuint)length };
}
