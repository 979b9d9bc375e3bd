using CryptoPlane.Buffers;
using CryptoPlane.Esp;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>Opens what comes in from the peers, each packet from the next tunnel.</summary>
internal sealed unsafe class DecapsulateSubject(EspPackets packets) : EspSubject("decapsulate", packets)
{
    private readonly EspDecapsulator _decapsulator = new(EspPackets.MaxBurst);

    public override void Run()
    {
        for (int first = 0; first < EspPackets.Count; first += Packets.BurstSize)
        {
            _decapsulator.AddBurst(Packets.Burst, Tunnels.Sad, Packets.From(first), Packets.Ingresses, Packets.BurstSize, Packets.Statuses);
            Packets.Burst.Run(Tunnels.Engine);
            _decapsulator.Complete(Packets.Burst);
            _decapsulator.Clear();
            Packets.Burst.Clear();
        }
    }

    public override void Dispose() => _decapsulator.Dispose();

    protected override void Fill() => Packets.FillFromPeers(Position);

    protected override long CountSucceeded() => Packets.CountOfLength(Packets.Length);
}
