using System.Buffers.Binary;
using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using CryptoPlane.Lcores;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Routing;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>
/// One lcore of the broker with so many tunnels on either side: packets come out of tunnel A[i], from the network behind it, and go into
/// tunnel B[i], to the network behind that. Anti-replay windows, longest-prefix routes for both addresses, hop limits and counters are on,
/// as in the broker.
/// </summary>
internal sealed unsafe class SwitchBed : IDisposable
{
    public const int Mtu = 1500;

    /// <summary>Buffers: what is on its way, and what lies in rings.</summary>
    private const int Packets = 4096;

    private const uint FirstA = 10u << 24, FirstB = 20u << 24;

    private static readonly IPAddress s_peerA = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress s_us = IPAddress.Parse("198.51.100.1");
    private static readonly IPAddress s_peerB = IPAddress.Parse("203.0.113.1");

    private readonly AeadEngine _peerEngine = AeadEngine.CreateDefault();
    private readonly Sad _peers;
    private readonly SaArena _peerArena;
    private readonly LcoreContext _context;
    private readonly EspPairs _pairs;
    private readonly LcoreWorker _worker;
    private readonly LcoreWaker _waker = new(), _supervisorWaker = new();
    private readonly Mailbox<LcoreMessage> _inbox;
    private readonly Mailbox<LcoreEvent> _outbox;
    private readonly nint[] _sealers, _openers;
    private readonly int[] _order;
    private long _now = 1;

    /// <param name="tunnels">Tunnels on either side.</param>
    /// <param name="blocks">Whose blocks packets are; null for the kernel's memory.</param>
    /// <param name="connect">Makes the wire.</param>
    /// <param name="flows">Sessions that the packets are of; 0: one of each tunnel.</param>
    /// <param name="keepsSessions">Whether the lcore keeps them.</param>
    public SwitchBed(
        int tunnels, IPacketBlocks? blocks, Func<PacketPool, ISwitchWire> connect, int flows = 0, bool keepsSessions = false)
    {
        Tunnels = tunnels;
        _context = new LcoreContext(0, new LcoreSizes { Tunnels = 1, Packets = Packets, EspSas = tunnels, UnsentChunks = 64, PartialChunks = 64 },
            new LcoreSupplies { Blocks = blocks });
        Wire = connect(_context.Packets);
        _pairs = new EspPairs(2 * tunnels);
        _peers = new Sad(tunnels, _peerEngine);
        _peerArena = new SaArena(tunnels, tunnels);
        _sealers = new nint[tunnels];
        _openers = new nint[tunnels];
        var random = new Random(tunnels);
        for (int i = 0; i < tunnels; i++)
            AddTunnels(i, random);
        _order = [.. Enumerable.Range(0, Math.Max(tunnels, flows))];
        random.Shuffle(_order);

        var targets = new EspTarget[2 * tunnels];
        Array.Fill(targets, new EspTarget { Mtu = Mtu });
        _context.Forwarding = ForwardingSnapshot.Create(Routes(), targets);
        _inbox = new Mailbox<LcoreMessage>(MessageStage.MailboxCapacity, _waker);
        _outbox = new Mailbox<LcoreEvent>(MessageStage.MailboxCapacity, _supervisorWaker);
        if (keepsSessions)
            _context.Flows = new FlowLedger(0, new FlowSettings { Maximum = 2 * flows, Records = 0 }, &_context.Counters->Flows, 0);
        _worker = new LcoreWorker(_context, _pairs, new LcorePorts { Esp = [new EspPort(Wire.Port, -1, EspIngress.IpPacket)] }, _inbox, _outbox);
        _worker.Watch(_waker);
    }

    /// <summary>Tunnels on either side.</summary>
    public int Tunnels { get; }

    public ISwitchWire Wire { get; }

    public PacketPool Pool => _context.Packets;

    /// <summary>What the peers seal and open with.</summary>
    public AeadEngine PeerEngine => _peerEngine;

    public Sad Peers => _peers;

    /// <summary>Where the lcore's time goes, while it is measured.</summary>
    public StageClock? Stages
    {
        get => _context.Stages;
        set => _context.Stages = value;
    }

    /// <summary>Sessions that the lcore keeps now.</summary>
    public int Sessions => _context.Counters->Flows.Active;

    /// <summary>
    /// The session of the packet at a place in the stream of all packets: every one once before any a second time. Its tunnel is what is
    /// left when it is divided by their number. At first in order, so that entries' places in memory tell nothing of what comes next.
    /// </summary>
    public int At(long position) => position < _order.Length && _order.Length > Tunnels ? (int)position : _order[position % _order.Length];

    /// <summary>What peer A seals a tunnel's packets with.</summary>
    public OutboundSa* Sealer(int tunnel) => (OutboundSa*)_sealers[tunnel];

    /// <summary>What peer B opens a tunnel's packets with.</summary>
    public InboundSa* Opener(int tunnel) => (InboundSa*)_openers[tunnel];

    /// <summary>Writes the headers of an inner packet of a session, from behind A[i] to behind B[i].</summary>
    public void WriteInner(Span<byte> packet, int session)
    {
        uint tunnel = (uint)(session % Tunnels);
        PlainPacket.WriteHeader(packet, PlainPacket.Udp, FirstA + (tunnel << 8) + 1, FirstB + (tunnel << 8) + 1);
        BinaryPrimitives.WriteUInt32BigEndian(packet[20..], (uint)(session / Tunnels));
    }

    /// <summary>Turns of the lcore until nothing comes any more.</summary>
    public void Run()
    {
        while (_worker.Poll(_now += 1000) > 0)
        {
        }
    }

    public void Dispose()
    {
        _worker.Stop();
        _worker.Dispose();
        ForwardingSnapshot.Free(_context.Forwarding);
        _pairs.Dispose();
        Wire.Dispose();
        _context.Dispose();
        _peers.Dispose();
        _peerEngine.Dispose();
        _peerArena.Dispose();
        _inbox.Dispose();
        _outbox.Dispose();
        _waker.Dispose();
        _supervisorWaker.Dispose();
    }

    private IEnumerable<Route> Routes()
    {
        for (int i = 0; i < Tunnels; i++)
        {
            yield return new Route(Network(FirstA, i), new RouteTarget(RouteKind.Esp, i));
            yield return new Route(Network(FirstB, i), new RouteTarget(RouteKind.Esp, Tunnels + i));
        }
    }

    private static IPNetwork Network(uint first, int tunnel) =>
        new(new IPAddress(BinaryPrimitives.ReverseEndianness(first + ((uint)tunnel << 8))), 24);

    private void AddTunnels(int i, Random random)
    {
        const AeadAlgorithm algorithm = AeadAlgorithm.Aes128Gcm;
        Span<byte> material = stackalloc byte[SaParameters.KeyingMaterialSize(algorithm)];
        uint spi = Spi.Create(0, (uint)i);
        random.NextBytes(material);
        var inbound = InboundSa.Create(
            new InboundSaParameters { Spi = spi, Algorithm = algorithm, ExtendedSequenceNumbers = true, UserData = (ulong)i },
            material,
            _context.Associations);
        Require(_context.Sad.Add(inbound) == SadStatus.Added);
        _pairs[i]->Inbound = inbound;
        _sealers[i] = (nint)AddOutbound(_peers, _peerArena, spi, s_peerA, s_us, (ulong)i, material);

        random.NextBytes(material);
        _pairs[Tunnels + i]->Outbound = AddOutbound(_context.Sad, _context.Associations, spi, s_us, s_peerB, (ulong)(Tunnels + i), material);
        var opener = InboundSa.Create(
            new InboundSaParameters { Spi = spi, Algorithm = algorithm, ExtendedSequenceNumbers = true, UserData = (ulong)i },
            material,
            _peerArena);
        Require(_peers.Add(opener) == SadStatus.Added);
        _openers[i] = (nint)opener;

        OutboundSa* AddOutbound(Sad sad, SaArena arena, uint spi, IPAddress source, IPAddress destination, ulong userData, ReadOnlySpan<byte> material)
        {
            OutboundSa* sa = OutboundSa.Create(
                new OutboundSaParameters
                {
                    Spi = spi,
                    Algorithm = algorithm,
                    ExtendedSequenceNumbers = true,
                    OuterHeader = EspOuterHeader.Ip,
                    Source = source,
                    Destination = destination,
                    UserData = userData,
                },
                material,
                arena);
            sad.Add(sa);
            return sa;
        }
    }

    private static void Require(bool added)
    {
        if (!added)
            throw new InvalidOperationException("The SA database does not take the SAs that it was made for.");
    }
}
