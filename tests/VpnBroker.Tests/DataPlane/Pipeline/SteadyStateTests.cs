using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>The promise of the data plane: in the steady state nothing is allocated for a packet, and no lock is ever waited for.</summary>
[Collection(nameof(SteadyStateTests))]
[CollectionDefinition(nameof(SteadyStateTests), DisableParallelization = true)]
public sealed unsafe class SteadyStateTests
{
    private const int Packets = 1_000_000;
    private const int PerTurn = 64;

    // The bed keeps sessions, as the broker does: records of them included.
    [Fact]
    public void AMillionPackets_OpenedRoutedAndSealed_AllocateNothing()
    {
        MirrorPort? tun = null;
        var flows = new FlowSettings { Maximum = 4096, Initial = 64, Records = 64, ActiveTimeout = 1_000_000 };
        using var bed = new WorkerBed(flows: flows, ports: pool => new LcorePorts { Tun = new WatchedPort(tun = new MirrorPort(pool), -1) });
        TestUser client = bed.Connect("10.8.0.10");
        byte[] packet = InnerPackets.Udp("10.8.0.10", "192.0.2.1", 128);

        // Each turn: the client's records are opened and routed to the TUN port, which sends every packet back: routed and sealed.
        // The client seals its records under the sequence numbers that come next, so these are made turn by turn, into memory of the test.
        using var records = new RecordSource(client, packet);
        Turns(bed, records, client, 2_000);
        AllocationReading reading = default;
        ulong opened = bed.Counters.Users.ReceivedPackets, sealedPackets = bed.Counters.Users.SentPackets;
        reading = AllocationMeter.Measure(() => Turns(bed, records, client, Packets / PerTurn));

        Assert.Equal((ulong)(Packets / PerTurn * PerTurn), bed.Counters.Users.ReceivedPackets - opened);
        Assert.Equal((ulong)(Packets / PerTurn * PerTurn), bed.Counters.Users.SentPackets - sealedPackets);
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.LockContentions);
        Assert.Equal(0, reading.Exceptions);
        // The mirror leaves the ports as they are: what it sends back is another session.
        SessionState* there = bed.Context.Flows!.Table.State(0), back = bed.Context.Flows.Table.State(1);
        Assert.Equal((bed.Counters.Users.ReceivedPackets, bed.Counters.Users.SentPackets), (there->ForwardPackets, back->ForwardPackets));
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Datagrams_OpenedRoutedAndSealed_AllocateNothing()
    {
        const int datagrams = 250_000;
        MirrorPort? tun = null;
        SealingPort? port = null;
        var sizes = new LcoreSizes { Tunnels = 64, Packets = 2048, UnsentChunks = 2048, PartialChunks = 1024, DtlsClients = 16 };
        using var bed = new WorkerBed(sizes: sizes, ports: pool => new LcorePorts
        {
            Tun = new WatchedPort(tun = new MirrorPort(pool), -1), Dtls = [new WatchedPort(port = new SealingPort(pool, InnerPackets.Udp("10.8.0.10", "192.0.2.1", 128)), -1)],
        });
        using SealingPort source = port!;
        source.Attach(bed, bed.Connect("10.8.0.10"));
        void Run(int turns)
        {
            long now = bed.Now.Ticks * 100;
            for (int turn = 0; turn < turns; turn++)
            {
                source.Due = PerTurn;
                bed.Worker.Poll(now);
                bed.Worker.Poll(now);
            }
        }

        Run(2_000);
        ulong opened = bed.Counters.Users.ReceivedPackets, sent = source.Sent;
        AllocationReading reading = AllocationMeter.Measure(() => Run(datagrams / PerTurn));
        Assert.Equal((ulong)(datagrams / PerTurn * PerTurn), bed.Counters.Users.ReceivedPackets - opened);
        Assert.Equal((ulong)(datagrams / PerTurn * PerTurn), source.Sent - sent);
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.LockContentions);
        Assert.Equal(0, reading.Exceptions);
        bed.AssertNothingHeld();
    }

    private static void Turns(WorkerBed bed, RecordSource records, TestUser client, int turns)
    {
        byte* sink = stackalloc byte[65_536];
        long now = bed.Now.Ticks * 100;
        for (int turn = 0; turn < turns; turn++)
        {
            records.Send(client.ClientSocket, PerTurn);
            bed.Worker.Poll(now);
            // The second turn takes what the TUN port has sent back.
            bed.Worker.Poll(now);
            while (TcpSocket.Receive(client.ClientSocket, sink, 65_536, out _) == IoStatus.Done)
            {
            }
        }
    }

    /// <summary>A TUN port behind which a host answers every packet with the same packet, addresses swapped.</summary>
    private sealed class MirrorPort : IPacketPort
    {
        private readonly PacketPool _pool;
        private readonly PacketBuffer*[] _held = new PacketBuffer*[1024];
        private int _count;

        public MirrorPort(PacketPool pool) => _pool = pool;

        public int Receive(PacketBuffer** burst, int capacity)
        {
            int count = Math.Min(capacity, _count);
            for (int i = 0; i < count; i++)
                burst[i] = _held[--_count];
            return count;
        }

        public int Transmit(PacketBuffer** burst, int count)
        {
            for (int i = 0; i < count; i++)
            {
                var addresses = (uint*)(burst[i]->Data + 12);
                (addresses[0], addresses[1]) = (addresses[1], addresses[0]);
                if (_count < _held.Length)
                    _held[_count++] = burst[i];
                else
                    _pool.Return(burst[i]);
            }
            return count;
        }
    }

    /// <summary>A UDP port behind which a client sends one packet again and again, sealed anew, without allocating.</summary>
    private sealed class SealingPort : IPacketPort, IDisposable
    {
        private readonly PacketPool _pool;
        private readonly byte[] _packet;
        private readonly AeadEngine _engine = AeadEngine.CreateDefault();
        private readonly AeadBurst _burst = new(PerTurn);
        private readonly PacketEndpoint _peer = PacketEndpoint.From(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 4433));
        private readonly NativeBuffer _state = new(DtlsTrafficState.SizeInBytes);
        private UserTunnel* _tunnel;

        public SealingPort(PacketPool pool, byte[] packet)
        {
            _pool = pool;
            _packet = [(byte)CstpType.Data, .. packet];
        }

        public int Due { get; set; }

        public ulong Sent { get; private set; }

        private DtlsTrafficState* Writer => (DtlsTrafficState*)_state.Pointer;

        public void Attach(WorkerBed bed, TestUser user)
        {
            _tunnel = bed.Context.Tunnels + user.Slot;
            _tunnel->Dtls = DtlsBinding.CreateStates();
            DtlsBinding* binding = DtlsBinding.Create();
            binding->Peer = _peer;
            const DtlsCipherSuite suite = DtlsCipherSuite.PskAes128GcmSha256;
            DtlsTrafficState.Initialize(Writer, suite, 1, new byte[16], new byte[4]);
            DtlsTrafficState.Initialize(DtlsBinding.StatesOf(binding), suite, 1, new byte[16], new byte[4]);
            DtlsTrafficState.Initialize(DtlsBinding.StatesOf(binding) + 1, suite, 1, new byte[16], new byte[4]);
            bed.Post(new LcoreMessage { Kind = LcoreMessageKind.DtlsAttach, Slot = user.Slot, Value = _tunnel->TunnelId, Pointer = (nint)binding });
            bed.Poll();
            Assert.Equal(1, binding->Taken);
            DtlsBinding.Free(binding);
        }

        public int Receive(PacketBuffer** burst, int capacity)
        {
            int count = 0;
            for (; count < Due && count < capacity && _pool.TryRent(out PacketBuffer* packet); count++)
            {
                packet->TrySetLength(_packet.Length + Writer->Overhead);
                _packet.CopyTo(packet->Span[Writer->ContentOffset..]);
                DtlsRecordWriter.TryAdd(_burst, Writer, TlsContentType.ApplicationData, packet->Data + Writer->ContentOffset, _packet.Length, packet->Data, packet->Length, out _);
                *(PacketEndpoint*)packet->Scratch = _peer;
                burst[count] = packet;
            }
            Due -= count;
            _burst.Run(_engine);
            _burst.Clear();
            return count;
        }

        public int Transmit(PacketBuffer** burst, int count)
        {
            Sent += (ulong)count;
            _pool.Return(burst, count);
            return count;
        }

        public void Dispose()
        {
            Writer->Release(_engine);
            _burst.Dispose();
            _engine.Dispose();
            _state.Dispose();
        }
    }

    /// <summary>Seals records of one packet, without allocating, and sends them many at a time.</summary>
    private sealed class RecordSource : IDisposable
    {
        private readonly TestUser _client;
        private readonly NativeBuffer _frames;
        private readonly NativeBuffer _records;
        private readonly int _frameLength;

        public RecordSource(TestUser client, byte[] packet)
        {
            _client = client;
            _frameLength = CstpFrame.HeaderSize + packet.Length;
            _frames = new NativeBuffer(_frameLength + 16);
            _records = new NativeBuffer(PerTurn * (_frameLength + 64));
            CstpFrame.WriteHeader(_frames.Pointer, CstpType.Data, packet.Length);
            packet.CopyTo(_frames.Span[CstpFrame.HeaderSize..]);
        }

        public void Send(int socket, int count)
        {
            int length = _client.SealMany(_frames.Pointer, _frameLength, count, _records.Pointer, _records.Length);
            if (TcpSocket.Send(socket, _records.Pointer, length, out int sent) != IoStatus.Done || sent != length)
                throw new InvalidOperationException("The socket did not take a turn's records.");
        }

        public void Dispose()
        {
            _frames.Dispose();
            _records.Dispose();
        }
    }
}
