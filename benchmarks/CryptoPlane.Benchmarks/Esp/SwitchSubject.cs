using CryptoPlane.Buffers;
using CryptoPlane.Esp;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>Opens what comes in from peers A and seals it for the tunnel's peer B.</summary>
internal sealed unsafe class SwitchSubject(EspPackets packets) : EspSubject("decapsulate, encapsulate", packets)
{
    private readonly EspDecapsulator _decapsulator = new(EspPackets.BurstSize);
    private readonly EspEncapsulator _encapsulator = new(EspPackets.BurstSize);

    public override void Run()
    {
        for (int first = 0; first < EspPackets.Count; first += EspPackets.BurstSize)
        {
            for (int i = first; i < first + EspPackets.BurstSize; i++)
                _decapsulator.TryAdd(Packets.Burst, Tunnels.Sad, Packets[i], EspIngress.IpPacket);
            Packets.Burst.Run(Tunnels.Engine);
            _decapsulator.Complete(Packets.Burst);
            Packets.Burst.Clear();

            for (int i = 0; i < _decapsulator.Count; i++)
            {
                ref readonly EspDecapsulated opened = ref _decapsulator[i];
                if (opened.Reason == EspDropReason.None)
                    _encapsulator.TryAdd(Packets.Burst, Tunnels.Outbound((int)opened.Sa->UserData), opened.Packet);
            }
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
