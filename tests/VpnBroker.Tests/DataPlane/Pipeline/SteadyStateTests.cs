using CryptoPlane.Buffers;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>The promise of the data plane: in the steady state nothing is allocated for a packet, and no lock is ever waited for.</summary>
[Collection(nameof(SteadyStateTests))]
[CollectionDefinition(nameof(SteadyStateTests), DisableParallelization = true)]
public sealed unsafe class SteadyStateTests
{
    private const int Packets = 1_000_000;
    private const int PerTurn = 64;

    [Fact]
    public void AMillionPackets_OpenedRoutedAndSealed_AllocateNothing()
    {
        MirrorPort? tun = null;
        using var bed = new WorkerBed(ports: pool => new LcorePorts { Tun = new WatchedPort(tun = new MirrorPort(pool), -1) });
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
