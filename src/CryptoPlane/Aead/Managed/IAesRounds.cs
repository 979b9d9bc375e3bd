namespace CryptoPlane.Aead.Managed;

/// <summary>The number of AES rounds as a type, so that the JIT makes one kernel per key size and folds the number into it.</summary>
internal interface IAesRounds
{
    /// <summary>Rounds after the first key addition; there is one round key more.</summary>
    static abstract int Count { get; }
}

/// <summary>AES-128: 10 rounds (FIPS 197 §5).</summary>
internal readonly struct Aes128Rounds : IAesRounds
{
    public static int Count => 10;
}

/// <summary>AES-256: 14 rounds (FIPS 197 §5).</summary>
internal readonly struct Aes256Rounds : IAesRounds
{
    public static int Count => 14;
}
