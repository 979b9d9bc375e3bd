using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Handshake.Resumption;

namespace CryptoPlane.Tls.Handshake;

/// <summary>What an OCSP response says about a certificate.</summary>
internal enum OcspVerdict
{
    /// <summary>That it is good, now, and the issuer says so.</summary>
    Good,

    /// <summary>That the issuer has revoked it.</summary>
    Revoked,

    /// <summary>That the responder does not know it, or nothing about it.</summary>
    Unknown,

    /// <summary>Something of another time.</summary>
    NotCurrent,

    /// <summary>Something that neither the issuer nor a responder of its has signed.</summary>
    NotSigned,

    /// <summary>Nothing: it is malformed, or the responder could not answer.</summary>
    Malformed,
}

/// <summary>Checks an OCSP response (RFC 6960 §3.2, §4.2) that came with a certificate, without asking anybody.</summary>
internal static class OcspResponse
{
    private const string BasicResponse = "1.3.6.1.5.5.7.48.1.1", Sha1 = "1.3.14.3.2.26", Sha256 = "2.16.840.1.101.3.4.2.1";

    /// <summary>By how much the responder's clock may be ahead of ours, or we late: five minutes.</summary>
    private const long ClockSkew = 300_000;

    /// <summary>How old a response without nextUpdate may be: a day.</summary>
    private const long MaxAgeWithoutEnd = 86_400_000;

    private static readonly Asn1Tag s_context0 = new(TagClass.ContextSpecific, 0), s_context1 = new(TagClass.ContextSpecific, 1);

    /// <summary>Checks a response.</summary>
    /// <param name="response">DER.</param>
    /// <param name="certificate">Whose status is in question.</param>
    /// <param name="issuer">Its issuer, which the chain has shown to be trusted.</param>
    /// <param name="now">In milliseconds of Unix time.</param>
    public static OcspVerdict Check(ReadOnlyMemory<byte> response, X509Certificate2 certificate, X509Certificate2 issuer, long now)
    {
        try
        {
            return TryReadBasic(response, out ReadOnlyMemory<byte> basic) ? CheckBasic(basic, certificate, issuer, now) : OcspVerdict.Malformed;
        }
        catch (Exception exception) when (exception is AsnContentException or CryptographicException)
        {
            return OcspVerdict.Malformed;
        }
    }

    /// <summary>OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE { responseType OID, response OCTET STRING } }</summary>
    private static bool TryReadBasic(ReadOnlyMemory<byte> response, out ReadOnlyMemory<byte> basic)
    {
        basic = default;
        var whole = new AsnReader(response, AsnEncodingRules.DER);
        AsnReader outer = whole.ReadSequence();
        whole.ThrowIfNotEmpty();
        // successful (0); with every other status there is nothing more.
        if (!outer.ReadEnumeratedBytes().Span.SequenceEqual((ReadOnlySpan<byte>)[0]) || !outer.HasData)
            return false;
        AsnReader wrapped = outer.ReadSequence(s_context0), bytes = wrapped.ReadSequence();
        if (bytes.ReadObjectIdentifier() != BasicResponse)
            return false;
        basic = bytes.ReadOctetString();
        return true;
    }

    /// <summary>BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature BIT STRING, certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }</summary>
    private static OcspVerdict CheckBasic(ReadOnlyMemory<byte> der, X509Certificate2 certificate, X509Certificate2 issuer, long now)
    {
        AsnReader basic = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        ReadOnlyMemory<byte> signed = basic.PeekEncodedValue();
        AsnReader data = basic.ReadSequence();
        string algorithm = basic.ReadSequence().ReadObjectIdentifier();
        byte[] signature = basic.ReadBitString(out int unusedBits);
        AsnReader? certificates = basic.HasData ? basic.ReadSequence(s_context0).ReadSequence() : null;
        if (unusedBits != 0)
            return OcspVerdict.Malformed;
        return IsSigned(signed.Span, algorithm, signature, certificates, issuer, now) ? CheckData(data, certificate, issuer, now) : OcspVerdict.NotSigned;
    }

    /// <summary>RFC 6960 §4.2.2.2: signed by the issuer itself, or by a responder to which it has given a certificate for that.</summary>
    private static bool IsSigned(
        ReadOnlySpan<byte> signed, string algorithm, byte[] signature, AsnReader? certificates, X509Certificate2 issuer, long now)
    {
        if (OcspSignature.Verify(issuer, algorithm, signed, signature))
            return true;
        // One responder is enough, and a stranger's list must not make work.
        if (certificates is not { HasData: true })
            return false;
        ReadOnlyMemory<byte> der = certificates.ReadEncodedValue();
        using X509Certificate2 responder = X509CertificateLoader.LoadCertificate(der.Span);
        return OcspSignature.IsResponderOf(responder, issuer, now) && OcspSignature.Verify(responder, algorithm, signed, signature);
    }

    /// <summary>
    /// ResponseData ::= SEQUENCE { version [0] EXPLICIT DEFAULT v1, responderID, producedAt, responses SEQUENCE OF SingleResponse, … }
    /// </summary>
    private static OcspVerdict CheckData(AsnReader data, X509Certificate2 certificate, X509Certificate2 issuer, long now)
    {
        if (data.PeekTag().HasSameClassAndValue(s_context0))
            data.ReadEncodedValue();
        // Who signed it is found by trying.
        data.ReadEncodedValue();
        data.ReadUnixMilliseconds();
        for (AsnReader responses = data.ReadSequence(); responses.HasData;)
        {
            AsnReader single = responses.ReadSequence();
            if (IsFor(single.ReadSequence(), certificate, issuer))
                return CheckSingle(single, now);
        }
        return OcspVerdict.Unknown;
    }

    /// <summary>CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING, serialNumber INTEGER }</summary>
    private static bool IsFor(AsnReader id, X509Certificate2 certificate, X509Certificate2 issuer)
    {
        string hash = id.ReadSequence().ReadObjectIdentifier();
        byte[] name = id.ReadOctetString(), key = id.ReadOctetString();
        return id.ReadIntegerBytes().Span.SequenceEqual(certificate.SerialNumberBytes.Span)
            && name.AsSpan().SequenceEqual(Digest(hash, certificate.IssuerName.RawData))
            && key.AsSpan().SequenceEqual(Digest(hash, issuer.PublicKey.EncodedKeyValue.RawData));
    }

    /// <summary>SingleResponse ::= SEQUENCE { certID, certStatus CHOICE, thisUpdate, nextUpdate [0] EXPLICIT OPTIONAL, … }</summary>
    private static OcspVerdict CheckSingle(AsnReader single, long now)
    {
        Asn1Tag status = single.PeekTag();
        single.ReadEncodedValue();
        long from = single.ReadUnixMilliseconds();
        long until = single.HasData && single.PeekTag().HasSameClassAndValue(s_context0)
            ? single.ReadSequence(s_context0).ReadUnixMilliseconds()
            : from + MaxAgeWithoutEnd;
        // What was revoked once stays so, however old the word is.
        if (status.HasSameClassAndValue(s_context1))
            return OcspVerdict.Revoked;
        if (!status.HasSameClassAndValue(s_context0))
            return OcspVerdict.Unknown;
        return from <= now + ClockSkew && until >= now - ClockSkew ? OcspVerdict.Good : OcspVerdict.NotCurrent;
    }

    /// <summary>Responders name certificates by digests, of which nothing depends on collisions: SHA-1 is what they all use.</summary>
    private static byte[] Digest(string hash, byte[] data) => hash switch
    {
        Sha1 => SHA1.HashData(data),
        Sha256 => SHA256.HashData(data),
        _ => [],
    };
}
