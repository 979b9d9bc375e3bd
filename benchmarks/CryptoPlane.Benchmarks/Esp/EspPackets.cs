using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>The packets of a run: buffers that are filled again and again, as a port would, and the bursts that carry them.</summary>
internal sealed unsafe class EspPackets : IDisposable
{
    /// <summary>Most packets of a burst: what the broker opens or seals in one turn at most.</summary>
    public const int MaxBurst = 256;

    /// <summary>Packets of a run: enough to make the clock's system call cheap.</summary>
    public const int Count = 4 * MaxBurst;

    private const int Headroom = 128;

    private readonly PacketPool _pool;
    private readonly EspEncapsulator _peer = new(MaxBurst);
    private PacketBuffer** _packets;
    private OutboundSa** _sas;
    private byte* _inner;

    public EspPackets(EspTunnels tunnels, EspCase work)
    {
        int length = work.Bytes;
        Tunnels = tunnels;
        Length = length;
        BurstSize = work.Burst;
        _pool = new PacketPool(Count, Headroom + length + EspOverhead.MaxTailroom + 64, Headroom);
        _packets = (PacketBuffer**)NativeMemory.Alloc(Count, (nuint)sizeof(PacketBuffer*));
        for (int i = 0; i < Count; i++)
            _pool.TryRent(out _packets[i]);
        _sas = (OutboundSa**)NativeMemory.Alloc(MaxBurst, (nuint)sizeof(OutboundSa*));
        Statuses = (EspStatus*)NativeMemory.Alloc(MaxBurst);
        Ingresses = (EspIngress*)NativeMemory.Alloc(MaxBurst);
        new Span<EspIngress>(Ingresses, MaxBurst).Fill(EspIngress.IpPacket);
        _inner = (byte*)NativeMemory.AlignedAlloc((nuint)length, 64);
        var inner = new Span<byte>(_inner, length);
        new Random(length).NextBytes(inner);
        inner[0] = 0x45;
        inner[1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(inner[2..], (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(inner[6..], 0x4000);
    }

    public EspTunnels Tunnels { get; }

    /// <summary>Bytes of an inner packet.</summary>
    public int Length { get; }

    /// <summary>Packets of a burst.</summary>
    public int BurstSize { get; }

    /// <summary>Who ran last, and has yet to look at what became of the packets before others fill them.</summary>
    public EspSubject? LastUser { get; set; }

    public PacketBuffer* this[int packet] => _packets[packet];

    /// <summary>The packets from one on, side by side.</summary>
    public PacketBuffer** From(int packet) => _packets + packet;

    /// <summary>Shared by all who work on these packets, one after the other.</summary>
    public AeadBurst Burst { get; } = new(MaxBurst);

    /// <summary>Room for the statuses of a burst.</summary>
    public EspStatus* Statuses { get; private set; }

    /// <summary>What the packets of a burst from the peers begin with.</summary>
    public EspIngress* Ingresses { get; private set; }

    /// <summary>Bytes of a sealed packet with its outer header.</summary>
    public int OuterLength => EspOverhead.IPv4 + EspOverhead.EspLength(Length);

    /// <summary>How many packets have a length; between what is sealed, what is open and what was dropped it tells.</summary>
    public int CountOfLength(int length)
    {
        int count = 0;
        for (int i = 0; i < Count; i++)
            count += _packets[i]->Length == length ? 1 : 0;
        return count;
    }

    /// <summary>Puts a plain inner packet into every buffer.</summary>
    public void FillPlain()
    {
        for (int i = 0; i < Count; i++)
        {
            _packets[i]->TryReset(Headroom);
            _packets[i]->TrySetLength(Length);
            NativeMemory.Copy(_inner, _packets[i]->Data, (nuint)Length);
        }
    }

    /// <summary>Puts into every buffer what comes in from the peer of its tunnel.</summary>
    /// <param name="position">The first packet's place in the stream of all packets.</param>
    /// <param name="sealing">The descriptors by which the packets were sealed are copied there; null for none.</param>
    public void FillFromPeers(long position, AeadOperation* sealing = null)
    {
        FillPlain();
        for (int first = 0; first < Count; first += MaxBurst)
        {
            for (int i = 0; i < MaxBurst; i++)
                _sas[i] = Tunnels.FromPeer(Tunnels.At(position + first + i));
            _peer.AddBurst(Burst, _sas, _packets + first, MaxBurst, Statuses);
            Burst.Run(Tunnels.Engine);
            _peer.Complete(Burst);
            _peer.Clear();
            for (int i = 0; sealing != null && i < MaxBurst; i++)
                sealing[first + i] = *Burst[i];
            Burst.Clear();
        }
    }

    public void Dispose()
    {
        _peer.Dispose();
        Burst.Dispose();
        _pool.Dispose();
        NativeMemory.Free(_packets);
        NativeMemory.AlignedFree(_inner);
        NativeMemory.Free(_sas);
        NativeMemory.Free(Statuses);
        NativeMemory.Free(Ingresses);
        _sas = null;
        Statuses = null;
        Ingresses = null;
        _packets = null;
        _inner = null;
    }
}
