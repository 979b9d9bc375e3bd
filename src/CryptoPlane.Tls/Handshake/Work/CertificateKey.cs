using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// A certificate's public key, and whether it may sign, without the rest: to decode all of a certificate takes libcrypto longer than everything else
/// of a handshake. For keys that are known already, of which nothing but the key counts.
/// </summary>
/// <param name="SubjectPublicKeyInfo">DER.</param>
/// <param name="MaySign">Whether the key usage, if it is said, has digitalSignature.</param>
internal readonly record struct CertificateKey(ReadOnlyMemory<byte> SubjectPublicKeyInfo, bool MaySign)
{
    private const string KeyUsage = "2.5.29.15";

    /// <summary>Reads a certificate (RFC 5280 §4.1) in DER, as far as its key and extensions are; false if it cannot be read so far.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> certificate, out CertificateKey key)
    {
        key = default;
        try
        {
            var whole = new AsnReader(certificate, AsnEncodingRules.DER);
            AsnReader body = whole.ReadSequence().ReadSequence();
            whole.ThrowIfNotEmpty();
            var version = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
            if (body.PeekTag() == version)
                body.ReadEncodedValue();
            // serialNumber, signature, issuer, validity and subject.
            for (int field = 0; field < 5; field++)
                body.ReadEncodedValue();
            key = new CertificateKey(body.ReadEncodedValue(), MaySignBy(body));
            return true;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>RFC 8446 §4.4.2.2: "the digitalSignature bit MUST be set if the Key Usage extension is present".</summary>
    private static bool MaySignBy(AsnReader body)
    {
        var extensions = new Asn1Tag(TagClass.ContextSpecific, 3, isConstructed: true);
        while (body.HasData && body.PeekTag() != extensions)
            body.ReadEncodedValue();
        if (!body.HasData)
            return true;
        AsnReader list = body.ReadSequence(extensions).ReadSequence();
        while (list.HasData)
        {
            AsnReader extension = list.ReadSequence();
            if (extension.ReadObjectIdentifier() != KeyUsage)
                continue;
            if (extension.PeekTag() == Asn1Tag.Boolean)
                extension.ReadBoolean();
            var value = new AsnReader(extension.ReadOctetString(), AsnEncodingRules.DER);
            return (value.ReadNamedBitListValue<CertificateKeyUsage>() & CertificateKeyUsage.DigitalSignature) != 0;
        }
        return true;
    }

    /// <summary>RFC 5280 §4.2.1.3, in the order of its bits.</summary>
    [Flags]
    private enum CertificateKeyUsage
    {
        None = 0,
        DigitalSignature = 1,
        NonRepudiation = 1 << 1,
        KeyEncipherment = 1 << 2,
        DataEncipherment = 1 << 3,
        KeyAgreement = 1 << 4,
        KeyCertSign = 1 << 5,
        CrlSign = 1 << 6,
        EncipherOnly = 1 << 7,
        DecipherOnly = 1 << 8,
    }
}
