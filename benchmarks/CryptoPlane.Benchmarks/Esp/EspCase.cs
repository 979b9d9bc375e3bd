namespace CryptoPlane.Benchmarks.Esp;

/// <summary>What is worked on.</summary>
/// <param name="Bytes">Length of the inner packets.</param>
/// <param name="Burst">Packets of a burst.</param>
/// <param name="Sas">SAs that the packets take in turn.</param>
internal sealed record EspCase(int Bytes, int Burst, int Sas)
{
    public override string ToString() => $"{Sas} SAs, {Bytes} B, burst {Burst}";
}
