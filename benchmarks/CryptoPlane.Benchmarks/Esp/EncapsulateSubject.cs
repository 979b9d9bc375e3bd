using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>Seals plain packets, each for the next tunnel.</summary>
internal sealed unsafe class EncapsulateSubject(EspPackets packets) : EspSubject("encapsulate", packets)
{
    private readonly EspEncapsulator _encapsulator = new(EspPackets.MaxBurst);
    private OutboundSa** _sas = (OutboundSa**)NativeMemory.Alloc(EspPackets.Count, (nuint)sizeof(OutboundSa*));

    public override void Run()
    {
        for (int first = 0; first < EspPackets.Count; first += Packets.BurstSize)
        {
            _encapsulator.AddBurst(Packets.Burst, _sas + first, Packets.From(first), Packets.BurstSize, Packets.Statuses);
            Packets.Burst.Run(Tunnels.Engine);
            _encapsulator.Complete(Packets.Burst);
            _encapsulator.Clear();
            Packets.Burst.Clear();
        }
    }

    public override void Dispose()
    {
        _encapsulator.Dispose();
        NativeMemory.Free(_sas);
        _sas = null;
    }

    protected override void Fill()
    {
        Packets.FillPlain();
        for (int i = 0; i < EspPackets.Count; i++)
            _sas[i] = Tunnels.Outbound(Tunnels.At(Position + i));
    }

    protected override long CountSucceeded() => Packets.CountOfLength(Packets.OuterLength);
}
