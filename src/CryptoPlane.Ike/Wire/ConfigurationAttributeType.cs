namespace CryptoPlane.Ike.Wire;

/// <summary>What is asked for or given (RFC 7296 §3.15.1; 25: RFC 8598). Unknown attributes are skipped (§3.15.1).</summary>
internal enum ConfigurationAttributeType : ushort
{
    InternalIp4Address = 1,
    InternalIp4Netmask = 2,
    InternalIp4Dns = 3,
    InternalIp4Nbns = 4,
    InternalIp4Dhcp = 6,
    ApplicationVersion = 7,

    /// <summary>Address and prefix length: 17 bytes.</summary>
    InternalIp6Address = 8,

    InternalIp6Dns = 10,
    InternalIp6Dhcp = 12,
    InternalIp4Subnet = 13,
    SupportedAttributes = 14,
    InternalIp6Subnet = 15,
    InternalDnsDomain = 25,
}
