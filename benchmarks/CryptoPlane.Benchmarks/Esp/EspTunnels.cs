using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>
/// The tunnels of one lcore: per tunnel an inbound SA from peer A, what A has of it (which makes the packets that come in), and an
/// outbound SA to peer B. Packets take the tunnels in a random order, every tunnel once before any a second time: nothing of an SA is
/// left in a near cache when its next packet comes, and no prefetcher of the CPU guesses it.
/// </summary>
internal sealed unsafe class EspTunnels : IDisposable
{
    private const AeadAlgorithm Algorithm = AeadAlgorithm.Aes128Gcm;

    private static readonly IPAddress s_a = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress s_us = IPAddress.Parse("198.51.100.1");
    private static readonly IPAddress s_b = IPAddress.Parse("203.0.113.1");

    private readonly SaArena _arena;
    private readonly Sad _sad, _peers;
    private readonly nint[] _fromPeer, _outbound;
    private readonly AeadKeyHandle[] _sealKeys, _openKeys;
    private readonly int[] _order;

    public EspTunnels(int count)
    {
        Count = count;
        Engine = AeadEngine.CreateDefault();
        _arena = new SaArena(count, count);
        _sad = new Sad(count, Engine);
        _peers = new Sad(1, Engine);
        _fromPeer = new nint[count];
        _outbound = new nint[count];
        _sealKeys = new AeadKeyHandle[count];
        _openKeys = new AeadKeyHandle[count];
        var random = new Random(count);
        byte[] material = new byte[SaParameters.KeyingMaterialSize(Algorithm)];
        for (int i = 0; i < count; i++)
        {
            random.NextBytes(material);
            uint spi = Spi.Create(0, (uint)i);
            var inbound = InboundSa.Create(
                new InboundSaParameters { Spi = spi, Algorithm = Algorithm, ExtendedSequenceNumbers = true, UserData = (ulong)i }, material, _arena);
            if (_sad.Add(inbound) != SadStatus.Added)
                throw new InvalidOperationException("The SA database does not take the SAs that it was made for.");
            _fromPeer[i] = AddOutbound(_peers, spi, s_a, s_us, material, arena: null);
            random.NextBytes(material);
            _outbound[i] = AddOutbound(_sad, spi, s_us, s_b, material, _arena);
        }
        _order = [.. Enumerable.Range(0, count)];
        random.Shuffle(_order);
        FindKeys();
    }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    public AeadEngine Engine { get; }

    public Sad Sad => _sad;

    /// <summary>The tunnel of the packet at a place in the stream of all packets.</summary>
    public int At(long position) => _order[position % Count];

    /// <summary>The peer's end of the SA that a tunnel's packets come by.</summary>
    public OutboundSa* FromPeer(int tunnel) => (OutboundSa*)_fromPeer[tunnel];

    /// <summary>The SA that a tunnel's packets leave by.</summary>
    public OutboundSa* Outbound(int tunnel) => (OutboundSa*)_outbound[tunnel];

    /// <summary>The key of <see cref="Outbound"/>, or of the inbound SA, for the same work without ESP.</summary>
    public AeadKeyHandle Key(int tunnel, AeadDirection direction) => direction == AeadDirection.Seal ? _sealKeys[tunnel] : _openKeys[tunnel];

    public void Dispose()
    {
        _sad.Dispose();
        _peers.Dispose();
        Engine.Dispose();
        _arena.Dispose();
    }

    /// <summary>Sends one packet through every SA and notes the key in its descriptor.</summary>
    private void FindKeys()
    {
        using var pool = new PacketPool(1, 512, 128);
        using var burst = new AeadBurst(1);
        using var encapsulator = new EspEncapsulator(1);
        using var decapsulator = new EspDecapsulator(1);
        pool.TryRent(out PacketBuffer* packet);
        for (int i = 0; i < Count; i++)
        {
            _sealKeys[i] = Seal(Outbound(i));
            Seal(FromPeer(i));
            decapsulator.TryAdd(burst, _sad, packet, EspIngress.IpPacket);
            _openKeys[i] = burst[0]->Key;
            burst.Run(Engine);
            decapsulator.Complete(burst);
            decapsulator.Clear();
            burst.Clear();
        }

        AeadKeyHandle Seal(OutboundSa* sa)
        {
            packet->TryReset(128);
            packet->TrySetLength(EspOverhead.IPv4);
            packet->Span.Clear();
            packet->Data[0] = 0x45;
            packet->Data[3] = EspOverhead.IPv4;
            encapsulator.TryAdd(burst, sa, packet);
            AeadKeyHandle key = burst[0]->Key;
            burst.Run(Engine);
            encapsulator.Complete(burst);
            encapsulator.Clear();
            burst.Clear();
            return key;
        }
    }

    private nint AddOutbound(Sad sad, uint spi, IPAddress source, IPAddress destination, byte[] material, SaArena? arena)
    {
        OutboundSa* sa = OutboundSa.Create(
            new OutboundSaParameters
            {
                Spi = spi,
                Algorithm = Algorithm,
                ExtendedSequenceNumbers = true,
                OuterHeader = EspOuterHeader.Ip,
                Source = source,
                Destination = destination,
            },
            material,
            arena);
        sad.Add(sa);
        return (nint)sa;
    }
}
