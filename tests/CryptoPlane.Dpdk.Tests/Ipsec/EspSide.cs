using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;

namespace CryptoPlane.Dpdk.Tests.Ipsec;

/// <summary>What became of a packet that we were given to open.</summary>
internal readonly record struct OpenedPacket(EspDropReason Reason, byte[]? Inner);

/// <summary>Our side of the tunnels: what one lcore has for ESP, and bursts of packets through it.</summary>
internal sealed unsafe class EspSide : IDisposable
{
    private const int BurstSize = 64;

    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly AeadBurst _burst = new(BurstSize);
    private readonly PacketPool _pool = new(2 * BurstSize, 2048, headroom: 128);
    private readonly EspEncapsulator _encapsulator = new(BurstSize);
    private readonly EspDecapsulator _decapsulator = new(BurstSize);
    private readonly Sad _sad;

    public EspSide() => _sad = new Sad(16, _engine);

    public OutboundSa* AddOutbound(EspTunnel tunnel, ulong first = 1)
    {
        OutboundSa* sa = OutboundSa.Create(tunnel.Outbound(first), tunnel.KeyingMaterial);
        _sad.Add(sa);
        return sa;
    }

    public InboundSa* AddInbound(EspTunnel tunnel, ulong highest = 0)
    {
        InboundSa* sa = InboundSa.Create(tunnel.Inbound(highest), tunnel.KeyingMaterial);
        Assert.Equal(SadStatus.Added, _sad.Add(sa));
        return sa;
    }

    /// <summary>Seals packets, all of which must get through.</summary>
    public List<byte[]> Seal(OutboundSa* sa, IReadOnlyList<byte[]> inner)
    {
        var wire = new List<byte[]>(inner.Count);
        foreach (byte[][] packets in inner.Chunk(BurstSize))
        {
            foreach (byte[] packet in packets)
                Assert.Equal(EspStatus.Added, TryAdd(sa, packet));
            _burst.Run(_engine);
            _encapsulator.Complete(_burst);
            for (int i = 0; i < packets.Length; i++)
            {
                Assert.Equal(EspDropReason.None, _encapsulator[i].Reason);
                wire.Add(_encapsulator[i].Packet->Span.ToArray());
                _pool.Return(_encapsulator[i].Packet);
            }
            _encapsulator.Clear();
            _burst.Clear();
        }
        return wire;
    }

    /// <summary>Offers one packet that must not be sealed.</summary>
    public EspStatus Refuse(OutboundSa* sa, byte[] inner)
    {
        EspStatus status = TryAdd(sa, inner);
        Assert.NotEqual(EspStatus.Added, status);
        return status;
    }

    /// <summary>Opens packets of a port of whole IP packets, in bursts; what is refused has its reason.</summary>
    public List<OpenedPacket> Open(IReadOnlyList<byte[]> wire)
    {
        var results = new List<OpenedPacket>(wire.Count);
        foreach (byte[][] packets in wire.Chunk(BurstSize))
        {
            // By place in the burst: which packet that was.
            var places = new List<int>();
            var opened = new OpenedPacket[packets.Length];
            for (int i = 0; i < packets.Length; i++)
            {
                PacketBuffer* buffer = Rent(packets[i]);
                ulong[] before = Drops();
                EspStatus status = _decapsulator.TryAdd(_burst, _sad, buffer, EspIngress.IpPacket);
                if (status == EspStatus.Added)
                {
                    places.Add(i);
                    continue;
                }
                Assert.Equal(EspStatus.Dropped, status);
                opened[i] = new OpenedPacket(ReasonSince(before), null);
                _pool.Return(buffer);
            }
            _burst.Run(_engine);
            _decapsulator.Complete(_burst);
            for (int i = 0; i < _decapsulator.Count; i++)
            {
                PacketBuffer* packet = _decapsulator[i].Packet;
                EspDropReason reason = _decapsulator[i].Reason;
                opened[places[i]] = new OpenedPacket(reason, reason == EspDropReason.None ? packet->Span.ToArray() : null);
                _pool.Return(packet);
            }
            _decapsulator.Clear();
            _burst.Clear();
            results.AddRange(opened);
        }
        return results;
    }

    public void Dispose()
    {
        _sad.Dispose();
        _encapsulator.Dispose();
        _decapsulator.Dispose();
        _burst.Dispose();
        _pool.Dispose();
        _engine.Dispose();
    }

    private EspStatus TryAdd(OutboundSa* sa, byte[] inner)
    {
        PacketBuffer* buffer = Rent(inner);
        EspStatus status = _encapsulator.TryAdd(_burst, sa, buffer);
        if (status != EspStatus.Added)
            _pool.Return(buffer);
        return status;
    }

    private PacketBuffer* Rent(byte[] content)
    {
        Assert.True(_pool.TryRent(out PacketBuffer* packet));
        Assert.True(packet->TrySetLength(content.Length));
        content.CopyTo(packet->Span);
        return packet;
    }

    private ulong[] Drops()
    {
        ulong[] drops = new ulong[EspCounters.Slots];
        for (int i = 0; i < drops.Length; i++)
            drops[i] = _decapsulator.Drops[(EspDropReason)i];
        return drops;
    }

    private EspDropReason ReasonSince(ulong[] before)
    {
        ulong[] after = Drops();
        return (EspDropReason)Enumerable.Range(0, EspCounters.Slots).Single(i => after[i] == before[i] + 1);
    }
}
