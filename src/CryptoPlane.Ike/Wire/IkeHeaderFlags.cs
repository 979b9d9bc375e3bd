namespace CryptoPlane.Ike.Wire;

/// <summary>The flags of an IKE header (RFC 7296 §3.1). The other bits are sent as zero and ignored.</summary>
[Flags]
internal enum IkeHeaderFlags : byte
{
    None = 0,

    /// <summary>Sent by the original initiator of the IKE SA.</summary>
    Initiator = 0x08,

    /// <summary>The sender could speak a higher major version.</summary>
    Version = 0x10,

    /// <summary>This message answers the request of the same message ID.</summary>
    Response = 0x20,
}
