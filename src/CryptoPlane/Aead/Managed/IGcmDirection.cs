namespace CryptoPlane.Aead.Managed;

/// <summary>Seal or open as a type: the two differ in which side of the XOR is hashed, and in what happens with the tag.</summary>
internal interface IGcmDirection
{
    /// <summary>True for sealing: what was written is hashed. False for opening: what was read is hashed.</summary>
    static abstract bool Seals { get; }
}

/// <summary>Encrypt, hash the result, write the tag.</summary>
internal readonly struct Sealing : IGcmDirection
{
    public static bool Seals => true;
}

/// <summary>Hash the ciphertext, decrypt, compare the tag.</summary>
internal readonly struct Opening : IGcmDirection
{
    public static bool Seals => false;
}
