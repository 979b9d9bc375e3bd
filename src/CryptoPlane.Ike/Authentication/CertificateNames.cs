using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Ike.Authentication;

/// <summary>The identities that a certificate vouches for (RFC 4945 §3.1, §5.1.3.6): its subjectAltName, and its subject's name.</summary>
internal static class CertificateNames
{
    private const string SubjectAltName = "2.5.29.17";

    /// <summary>More than certificates have; a peer's could else make us compare without end.</summary>
    private const int MaxNames = 256;

    private static readonly Asn1Tag s_mail = new(TagClass.ContextSpecific, 1), s_domain = new(TagClass.ContextSpecific, 2),
        s_directory = new(TagClass.ContextSpecific, 4, isConstructed: true), s_address = new(TagClass.ContextSpecific, 7);

    /// <summary>
    /// Whether the certificate names the identity: an FQDN, mail address or address as one of its alternative names; a distinguished name as
    /// one of these or as its subject, byte by byte. Wildcards in certificates stand for nothing (RFC 4945 §3.1.2), and no certificate names
    /// a key ID.
    /// </summary>
    /// <returns>False also where the extension cannot be decoded, comes twice, or has too many names.</returns>
    public static bool Include(X509Certificate2 certificate, IkeIdentity identity)
    {
        if (!TryReadAlternativeNames(certificate, out List<IkeIdentity> names))
            return false;
        if (identity.Type == IkeIdentityType.DerAsn1Dn && certificate.SubjectName.RawData.AsSpan().SequenceEqual(identity.Data.Span))
            return true;
        return identity.Type != IkeIdentityType.KeyId && names.Contains(identity);
    }

    private static bool TryReadAlternativeNames(X509Certificate2 certificate, out List<IkeIdentity> names)
    {
        names = [];
        byte[]? encoded = null;
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension.Oid?.Value != SubjectAltName)
                continue;
            if (encoded != null)
                return false;
            encoded = extension.RawData;
        }
        if (encoded == null)
            return true;
        try
        {
            AsnReader reader = new(encoded, AsnEncodingRules.DER), sequence = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            for (int count = 0; sequence.HasData; count++)
            {
                if (count == MaxNames)
                    return false;
                if (ReadName(sequence) is { } name)
                    names.Add(name);
            }
            return true;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>Reads one GeneralName (RFC 5280 §4.2.1.6).</summary>
    /// <returns>Null for one that is no identity of IKE's.</returns>
    private static IkeIdentity? ReadName(AsnReader sequence)
    {
        Asn1Tag tag = sequence.PeekTag();
        IkeIdentity? identity = null;
        if (tag == s_directory)
        {
            AsnReader name = sequence.ReadSequence(tag);
            IkeIdentity.TryCreate(IkeIdentityType.DerAsn1Dn, name.ReadEncodedValue().Span, out identity);
            name.ThrowIfNotEmpty();
        }
        else if (tag == s_mail || tag == s_domain)
        {
            byte[] text = sequence.ReadOctetString(tag);
            IkeIdentity.TryCreate(tag == s_mail ? IkeIdentityType.Rfc822Address : IkeIdentityType.Fqdn, text, out identity);
        }
        else if (tag == s_address)
        {
            byte[] address = sequence.ReadOctetString(tag);
            IkeIdentity.TryCreate(address.Length == 4 ? IkeIdentityType.Ipv4Address : IkeIdentityType.Ipv6Address, address, out identity);
        }
        else
        {
            sequence.ReadEncodedValue();
        }
        return identity;
    }
}
