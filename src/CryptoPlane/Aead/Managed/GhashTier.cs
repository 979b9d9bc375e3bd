namespace CryptoPlane.Aead.Managed;

/// <summary>Width of the carry-less multiplier that the long kernel uses.</summary>
internal enum GhashTier
{
    /// <summary>PCLMULQDQ: one block per instruction.</summary>
    Lanes128,

    /// <summary>VPCLMULQDQ on 256 bits.</summary>
    Lanes256,

    /// <summary>VPCLMULQDQ on 512 bits.</summary>
    Lanes512,
}
