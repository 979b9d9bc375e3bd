namespace CryptoPlane.Aead.Managed;

/// <summary>Width of the carry-less multiplier that the kernels of long messages use, and what they use besides.</summary>
internal enum GhashTier
{
    /// <summary>PCLMULQDQ: one block per instruction.</summary>
    Lanes128,

    /// <summary>VPCLMULQDQ on 256 bits.</summary>
    Lanes256,

    /// <summary>VPCLMULQDQ on 512 bits.</summary>
    Lanes512,

    /// <summary>VPCLMULQDQ on 512 bits; and in large messages half of AES by GFNI on 512 bits, beside the other half by AES-NI.</summary>
    Hybrid512,
}
