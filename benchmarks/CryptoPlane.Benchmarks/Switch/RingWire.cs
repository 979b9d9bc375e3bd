using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.Dpdk;
using CryptoPlane.IO.Ethernet;
using CryptoPlane.Ports;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>
/// Two of DPDK's net_ring ports with Ethernet over them: one that frames come by to the lcore, one that they leave by. On the other end is
/// an <see cref="EthernetIpPort"/> of the benchmark's, the router to which all packets go.
/// </summary>
internal sealed unsafe class RingWire : ISwitchWire
{
    /// <summary>The devices; every bed takes two.</summary>
    public const string DevicePrefix = "net_ring";

    // net_ring has no addresses of its own.
    private static readonly PhysicalAddress s_lcoreMac = PhysicalAddress.Parse("02-00-00-00-00-01"), s_routerMac = PhysicalAddress.Parse("02-00-00-00-00-02");

    private static int s_nextDevice;

    private readonly EthPort _in, _out;
    private readonly EthernetIpPort _lcore, _router;

    public RingWire(PacketPool pool, int burst)
    {
        _in = EthPort.Open(EthPort.Find($"{DevicePrefix}{s_nextDevice++}"), [pool]);
        _out = EthPort.Open(EthPort.Find($"{DevicePrefix}{s_nextDevice++}"), [pool]);
        var router = IPAddress.Parse("198.51.100.254");
        var own = IPAddress.Parse("198.51.100.1");
        _lcore = new EthernetIpPort(
            new Ends(_in.Queue(0), _out.Queue(0), burst),
            new EthernetIpOptions { Mac = s_lcoreMac, Addresses = [(own, 24)], Gateways = [router] }, pool);
        _router = new EthernetIpPort(
            new Ends(_out.Queue(0), _in.Queue(0), int.MaxValue),
            new EthernetIpOptions { Mac = s_routerMac, Addresses = [(router, 24)], Role = EthernetRole.Inside }, pool);
        _lcore.Tick(1);
        _router.Tick(1);
        MeetOneAnother(pool, own, router);
    }

    public string Name => "net_ring";

    // A ring of 1,024 places holds one less.
    public int Capacity => 512;

    public IPacketPort Port => _lcore;

    public void Offer(PacketBuffer** packets, int count)
    {
        long before = _router.ReadCounters().TransmittedPackets;
        _router.Transmit(packets, count);
        if (_router.ReadCounters().TransmittedPackets != before + count)
            throw new InvalidOperationException("The ring to the lcore does not take its packets.");
    }

    public int Collect(PacketBuffer** packets, int capacity) => _router.Receive(packets, capacity);

    public void Dispose()
    {
        _lcore.Dispose();
        _router.Dispose();
        _in.Dispose();
        _out.Dispose();
    }

    /// <summary>Each sends the other a packet, before which it asks for its address; the other then knows who asked.</summary>
    private void MeetOneAnother(PacketPool pool, IPAddress own, IPAddress router)
    {
        const int some = 4;
        PacketBuffer** packets = stackalloc PacketBuffer*[some];
        Greet(_lcore, pool, own, router);
        for (int i = 0; i < 2; i++)
        {
            _router.Receive(packets, some);
            _lcore.Receive(packets, some);
        }
        Greet(_router, pool, router, own);
        if (_lcore.Receive(packets, some) != 1)
            throw new InvalidOperationException("The two ends of the rings did not find one another.");
        pool.Return(packets[0]);
    }

    /// <summary>Sends an ESP packet without contents.</summary>
    private static void Greet(EthernetIpPort port, PacketPool pool, IPAddress from, IPAddress to)
    {
        const int size = 28;
        if (!pool.TryRent(out PacketBuffer* packet) || !packet->TrySetLength(size))
            throw new InvalidOperationException("The pool is empty.");
        PlainPacket.WriteHeader(packet->Span, PlainPacket.Esp, Number(from), Number(to));
        port.Transmit(&packet, 1);
    }

    private static uint Number(IPAddress address) => BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    /// <summary>Receives from one port and sends to another.</summary>
    private sealed class Ends(EthQueue receive, EthQueue transmit, int burst) : IPacketPort
    {
        public int Receive(PacketBuffer** packets, int capacity) => receive.Receive(packets, Math.Min(capacity, burst));

        public int Transmit(PacketBuffer** packets, int count) => transmit.Transmit(packets, count);
    }
}
