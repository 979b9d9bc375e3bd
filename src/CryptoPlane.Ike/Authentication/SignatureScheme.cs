using System.Formats.Asn1;

namespace CryptoPlane.Ike.Authentication;

/// <summary>How a signature is made, besides its hash.</summary>
internal enum SignatureKind
{
    /// <summary>No signature.</summary>
    None,

    /// <summary>ECDSA on the curve of the key.</summary>
    Ecdsa,

    /// <summary>RSASSA-PSS with MGF1 of the same hash and a salt as long as the digest.</summary>
    RsaPss,

    /// <summary>RSASSA-PKCS1-v1_5.</summary>
    RsaPkcs1,
}

/// <summary>
/// A signature algorithm by its AlgorithmIdentifier (RFC 7427 §3 and appendix A). Those that are known are so few that a peer's is compared
/// with each of their encodings: there is nothing to parse, and no parameter that could be overlooked.
/// </summary>
/// <param name="Kind">The algorithm.</param>
/// <param name="Hash">Its hash.</param>
internal readonly record struct SignatureScheme(SignatureKind Kind, SignatureHash Hash)
{
    private const string RsaPss = "1.2.840.113549.1.1.10", Mgf1 = "1.2.840.113549.1.1.8";

    private static readonly IReadOnlyList<(SignatureScheme Scheme, byte[] Identifier)> s_encodings = Encode();

    /// <summary>The AlgorithmIdentifier to send.</summary>
    public ReadOnlySpan<byte> Identifier
    {
        get
        {
            foreach ((SignatureScheme scheme, byte[] identifier) in s_encodings)
            {
                if (scheme == this)
                    return identifier;
            }
            throw new InvalidOperationException($"{this} has no identifier.");
        }
    }

    /// <summary>Finds a peer's algorithm.</summary>
    /// <returns>False for every other sequence of bytes.</returns>
    public static bool TryFind(ReadOnlySpan<byte> identifier, out SignatureScheme scheme)
    {
        foreach ((SignatureScheme known, byte[] encoding) in s_encodings)
        {
            if (identifier.SequenceEqual(encoding))
            {
                scheme = known;
                return true;
            }
        }
        scheme = default;
        return false;
    }

    private static List<(SignatureScheme, byte[])> Encode()
    {
        List<(SignatureScheme, byte[])> encodings = [];
        bool[] both = [true, false];
        foreach (SignatureHash hash in SignatureHashes.All)
        {
            encodings.Add((new SignatureScheme(SignatureKind.Ecdsa, hash), Identify(EcdsaOid(hash), withNull: false)));
            // RFC 4055 §5: the parameters are NULL, and a signature without them must be accepted too. The first encoding of each is ours.
            foreach (bool withNull in both)
                encodings.Add((new SignatureScheme(SignatureKind.RsaPkcs1, hash), Identify(RsaPkcs1Oid(hash), withNull)));
            // RFC 4055 §2.1 says the same of the hash within the parameters; RFC 7427 §A.4.3 writes out the trailer, which is the default.
            foreach (bool trailer in new[] { false, true })
            {
                foreach (bool hashNull in both)
                {
                    foreach (bool maskNull in both)
                        encodings.Add((new SignatureScheme(SignatureKind.RsaPss, hash), IdentifyPss(hash, hashNull, maskNull, trailer)));
                }
            }
        }
        return encodings;
    }

    private static byte[] Identify(string oid, bool withNull)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        WriteIdentifier(writer, oid, withNull);
        return writer.Encode();
    }

    private static byte[] IdentifyPss(SignatureHash hash, bool hashNull, bool maskNull, bool trailer)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(RsaPss);
            using (writer.PushSequence())
            {
                using (writer.PushSequence(Context(0)))
                    WriteIdentifier(writer, HashOid(hash), hashNull);
                using (writer.PushSequence(Context(1)))
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(Mgf1);
                    WriteIdentifier(writer, HashOid(hash), maskNull);
                }
                using (writer.PushSequence(Context(2)))
                    writer.WriteInteger(hash.Length());
                if (trailer)
                {
                    using (writer.PushSequence(Context(3)))
                        writer.WriteInteger(1);
                }
            }
        }
        return writer.Encode();
    }

    private static void WriteIdentifier(AsnWriter writer, string oid, bool withNull)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            if (withNull)
                writer.WriteNull();
        }
    }

    private static Asn1Tag Context(int number) => new(TagClass.ContextSpecific, number, isConstructed: true);

    private static string HashOid(SignatureHash hash) => "2.16.840.1.101.3.4.2." + ((int)hash - 1);

    private static string EcdsaOid(SignatureHash hash) => "1.2.840.10045.4.3." + (int)hash;

    private static string RsaPkcs1Oid(SignatureHash hash) => "1.2.840.113549.1.1." + ((int)hash + 9);
}
