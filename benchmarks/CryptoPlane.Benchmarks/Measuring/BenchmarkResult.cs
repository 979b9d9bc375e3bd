namespace CryptoPlane.Benchmarks.Measuring;

/// <summary>One row: ours against one peer.</summary>
/// <param name="Case">Slash-separated words, such as <c>managed/aes-128-gcm/seal/burst32/keys1</c>.</param>
/// <param name="Bytes">Payload of one operation.</param>
/// <param name="OursNanoseconds">Our median per operation.</param>
/// <param name="Peer">Who was measured beside us.</param>
/// <param name="PeerNanoseconds">The peer's median per operation.</param>
internal sealed record BenchmarkResult(string Case, int Bytes, double OursNanoseconds, string Peer, double PeerNanoseconds)
{
    /// <summary>How many times the peer's time ours is contained in it: above 1, ours is faster.</summary>
    public double Ratio => PeerNanoseconds / OursNanoseconds;
}
