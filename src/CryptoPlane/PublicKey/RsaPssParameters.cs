using System.Formats.Asn1;
using System.Security.Cryptography;

namespace CryptoPlane.PublicKey;

/// <summary>RSASSA-PSS-params of a key (RFC 4055 §3.1): what it may sign with.</summary>
internal static class RsaPssParameters
{
    private const string Mgf1 = "1.2.840.113549.1.1.8";

    // RFC 4055 §3.1: SHA-1, MGF1 with SHA-1, a salt of 20 bytes and the trailer field 1 are what is left away.
    private const int DefaultSaltLength = 20, TrailerField = 1;

    /// <summary>Whether a key with these parameters may sign with a hash, MGF1 with the same, and a salt as long as the digest.</summary>
    /// <param name="parameters">DER; empty for a key without parameters, which is bound to nothing.</param>
    /// <param name="hash">SHA-256, SHA-384 or SHA-512.</param>
    public static bool Allow(ReadOnlyMemory<byte> parameters, HashAlgorithmName hash)
    {
        if (parameters.IsEmpty)
            return true;
        try
        {
            AsnReader outer = new(parameters, AsnEncodingRules.DER);
            AsnReader fields = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            bool fits = ReadTagged(fields, 0) is { } hashField && IsHash(hashField, hash)
                && ReadTagged(fields, 1) is { } maskField && IsMask(maskField, hash);
            int saltLength = DefaultSaltLength, trailer = TrailerField;
            if (fits && ReadTagged(fields, 2) is { } saltField && !saltField.TryReadInt32(out saltLength))
                return false;
            if (fits && ReadTagged(fields, 3) is { } trailerField && !trailerField.TryReadInt32(out trailer))
                return false;
            // RFC 4055 §3.3: the salt of a signature may be longer than the key's.
            return fits && !fields.HasData && trailer == TrailerField && saltLength >= 0 && saltLength <= DigestLength(hash);
        }
        catch (AsnContentException)
        {
            // The certificate may be a peer's.
            return false;
        }
    }

    private static AsnReader? ReadTagged(AsnReader fields, int number)
    {
        var tag = new Asn1Tag(TagClass.ContextSpecific, number, isConstructed: true);
        return fields.HasData && fields.PeekTag() == tag ? fields.ReadSequence(tag) : null;
    }

    private static bool IsHash(AsnReader field, HashAlgorithmName hash)
    {
        AsnReader identifier = field.ReadSequence();
        string oid = identifier.ReadObjectIdentifier();
        // RFC 4055 §2.1: parameters of SHA-2 are absent or NULL.
        if (identifier.HasData)
            identifier.ReadNull();
        identifier.ThrowIfNotEmpty();
        field.ThrowIfNotEmpty();
        return hash == oid switch
        {
            "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
            "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
            "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
            _ => default,
        };
    }

    private static bool IsMask(AsnReader field, HashAlgorithmName hash)
    {
        AsnReader identifier = field.ReadSequence();
        return identifier.ReadObjectIdentifier() == Mgf1 && IsHash(identifier, hash);
    }

    private static int DigestLength(HashAlgorithmName hash) => hash == HashAlgorithmName.SHA256 ? 32 : hash == HashAlgorithmName.SHA384 ? 48 : 64;
}
