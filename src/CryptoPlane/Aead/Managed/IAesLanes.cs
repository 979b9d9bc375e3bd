namespace CryptoPlane.Aead.Managed;

/// <summary>
/// Blocks that go through AES side by side, in registers. One AESENC per cycle needs at least as many lanes as AESENC has
/// cycles of latency, and twice as many where the CPU has two AES units.
/// </summary>
internal interface IAesLanes
{
    /// <summary>One AES round in every lane.</summary>
    /// <param name="round">From 1 to the number of rounds − 1, best a constant.</param>
    void Round(int round);
}
