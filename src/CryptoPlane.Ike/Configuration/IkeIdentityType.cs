namespace CryptoPlane.Ike;

/// <summary>How the bytes of an identification payload are to be read: RFC 7296 §3.5, "ID Type".</summary>
public enum IkeIdentityType : byte
{
    /// <summary>ID_IPV4_ADDR: four bytes of an address.</summary>
    Ipv4Address = 1,

    /// <summary>ID_FQDN: a domain name, compared without regard to case.</summary>
    Fqdn = 2,

    /// <summary>ID_RFC822_ADDR: a mail address.</summary>
    Rfc822Address = 3,

    /// <summary>ID_IPV6_ADDR: sixteen bytes of an address.</summary>
    Ipv6Address = 5,

    /// <summary>ID_DER_ASN1_DN: the DER of an X.500 distinguished name.</summary>
    DerAsn1Dn = 9,

    /// <summary>ID_KEY_ID: bytes whose meaning only the two peers know.</summary>
    KeyId = 11,
}
