using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>Opens what comes in from peers A and seals it for the tunnel's peer B.</summary>
internal sealed unsafe class SwitchSubject(EspPackets packets) : EspSubject("decapsulate, encapsulate", packets)
{
    private readonly EspDecapsulator _decapsulator = new(EspPackets.BurstSize);
    private readonly EspEncapsulator _encapsulator = new(EspPackets.BurstSize);
    private OutboundSa** _sas = (OutboundSa**)NativeMemory.Alloc(EspPackets.BurstSize, (nuint)sizeof(OutboundSa*));
    private PacketBuffer** _opened = (PacketBuffer**)NativeMemory.Alloc(EspPackets.BurstSize, (nuint)sizeof(PacketBuffer*));

    public override void Run()
    {
        for (int first = 0; first < EspPackets.Count; first += EspPackets.BurstSize)
        {
            _decapsulator.AddBurst(Packets.Burst, Tunnels.Sad, Packets.From(first), Packets.Ingresses, EspPackets.BurstSize, Packets.Statuses);
            Packets.Burst.Run(Tunnels.Engine);
            _decapsulator.Complete(Packets.Burst);
            Packets.Burst.Clear();

            int count = 0;
            for (int i = 0; i < _decapsulator.Count; i++)
            {
                ref readonly EspDecapsulated opened = ref _decapsulator[i];
                if (opened.Reason != EspDropReason.None)
                    continue;
                _sas[count] = Tunnels.Outbound((int)opened.Sa->UserData);
                _opened[count++] = opened.Packet;
            }
            _encapsulator.AddBurst(Packets.Burst, _sas, _opened, count, Packets.Statuses);
            Packets.Burst.Run(Tunnels.Engine);
            _encapsulator.Complete(Packets.Burst);
            _decapsulator.Clear();
            _encapsulator.Clear();
            Packets.Burst.Clear();
        }
    }

    public override void Dispose()
    {
        _decapsulator.Dispose();
        _encapsulator.Dispose();
        NativeMemory.Free(_sas);
        NativeMemory.Free(_opened);
        _sas = null;
        _opened = null;
    }

    protected override void Fill() => Packets.FillFromPeers(Position);

    // What comes in is as long as what goes out; its source is not ours.
    protected override long CountSucceeded()
    {
        int count = 0;
        for (int i = 0; i < EspPackets.Count; i++)
            count += Packets[i]->Length == Packets.OuterLength && EspTunnels.IsFromUs(Packets[i]->Data) ? 1 : 0;
        return count;
    }
}
