using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>
/// The lcore's whole way of a packet, from its port to its port. Peers seal what comes in and open what goes out, all of it, beside the clock.
/// </summary>
internal sealed unsafe class SwitchSubject : IBenchmarkSubject
{
    private const int PeerBurst = 256;

    private readonly SwitchBed _bed;
    private readonly int _length;
    private readonly EspEncapsulator _sealer = new(PeerBurst);
    private readonly EspDecapsulator _opener = new(PeerBurst);
    private readonly AeadBurst _burst = new(PeerBurst);
    private PacketBuffer** _packets;
    private long _position, _sent, _arrived;

    /// <param name="bed">The lcore.</param>
    /// <param name="length">Bytes of an inner packet.</param>
    public SwitchSubject(SwitchBed bed, int length)
    {
        _bed = bed;
        _length = length;
        OperationsPerRun = bed.Wire.Capacity;
        _packets = (PacketBuffer**)NativeMemory.Alloc((nuint)OperationsPerRun, (nuint)sizeof(PacketBuffer*));
    }

    public string Name => $"switch, {_bed.Wire.Name}";

    public int OperationsPerRun { get; }

    public bool Prepare()
    {
        Collect();
        for (int first = 0; first < OperationsPerRun; first += PeerBurst)
            Seal(first, Math.Min(PeerBurst, OperationsPerRun - first));
        _bed.Wire.Offer(_packets, OperationsPerRun);
        _position += OperationsPerRun;
        _sent += OperationsPerRun;
        return true;
    }

    public void Run() => _bed.Run();

    public void Verify()
    {
        Collect();
        if (_arrived != _sent)
            throw new InvalidOperationException($"{Name}: of {_sent} packets {_arrived} arrived and were right.");
    }

    public void Dispose()
    {
        _sealer.Dispose();
        _opener.Dispose();
        _burst.Dispose();
        NativeMemory.Free(_packets);
        _packets = null;
    }

    private void Seal(int first, int count)
    {
        for (int i = 0; i < count; i++)
        {
            int session = _bed.At(_position + first + i);
            if (!_bed.Pool.TryRent(out PacketBuffer* packet) || !packet->TrySetLength(_length))
                throw new InvalidOperationException("The pool is too small for what is on its way.");
            _bed.WriteInner(packet->Span, session);
            _packets[first + i] = packet;
            _sealer.TryAdd(_burst, _bed.Sealer(session % _bed.Tunnels), packet);
        }
        _burst.Run(_bed.PeerEngine);
        _sealer.Complete(_burst);
        _sealer.Clear();
        _burst.Clear();
    }

    /// <summary>Peer B takes what has come, opens it and looks at it.</summary>
    private void Collect()
    {
        int count = _bed.Wire.Collect(_packets, OperationsPerRun);
        for (int first = 0; first < count; first += PeerBurst)
        {
            int end = Math.Min(first + PeerBurst, count);
            for (int i = first; i < end; i++)
                _opener.TryAdd(_burst, _bed.Peers, _packets[i], EspIngress.IpPacket);
            _burst.Run(_bed.PeerEngine);
            _opener.Complete(_burst);
            for (int i = 0; i < _opener.Count; i++)
            {
                PacketBuffer* packet = _opener[i].Packet;
                // One hop further, and else as it was sent.
                bool isRight = _opener[i].Reason == EspDropReason.None && packet->Length == _length && packet->Data[8] == PlainPacket.HopLimit - 1;
                _arrived += isRight ? 1 : 0;
            }
            _opener.Clear();
            _burst.Clear();
        }
        _bed.Pool.Return(_packets, count);
    }
}
