namespace CryptoPlane.Aead.Managed;

/// <summary>A piece of GHASH in small steps, to be done between the rounds of AES; see <see cref="GcmStitch"/>.</summary>
internal interface IHashWork
{
    /// <summary>At most one product of a vector of blocks and powers of H.</summary>
    /// <param name="step">0 to <see cref="GcmStitch.Steps"/> − 1, a constant, in this order.</param>
    void Step(int step);
}

/// <summary>Nothing to hash: the first message of a burst is encrypted beside it.</summary>
internal readonly struct NoHash : IHashWork
{
    public void Step(int step)
    {
        // No work.
    }
}
