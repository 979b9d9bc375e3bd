using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Capture;

/// <summary>What the lcore writes and the writer reads.</summary>
[Collection(nameof(CaptureTapTests))]
[CollectionDefinition(nameof(CaptureTapTests), DisableParallelization = true)]
public sealed unsafe class CaptureTapTests
{
    [Fact]
    public void Packets_of_both_directions_are_seen_as_the_port_got_and_gave_them()
    {
        using CaptureBed bed = new CaptureBed(CaptureFraming.UdpPayload).Start();
        bed.Receive([1, 2, 3], [4, 5]);
        Assert.Equal(1, bed.Send([6, 7, 8, 9]));
        List<(CaptureRecord Record, byte[] Bytes)> all = bed.TakeAll();
        Assert.Equal(new byte[][] { [1, 2, 3], [4, 5], [6, 7, 8, 9] }, all.Select(taken => taken.Bytes));
        Assert.Equal([CaptureDirection.In, CaptureDirection.In, CaptureDirection.Out], all.Select(taken => taken.Record.Direction));
        Assert.All(all, taken => Assert.Equal((CaptureBed.Point, CaptureFraming.UdpPayload, CaptureBed.Peer), (taken.Record.Point, taken.Record.Framing, taken.Record.Peer)));
        Assert.True(all[0].Record.Timestamp > 0 && all[0].Record.Timestamp <= all[2].Record.Timestamp);
        Assert.Null(bed.Take());
    }

    [Fact]
    public void Nothing_is_captured_before_the_start_after_the_end_and_at_other_points()
    {
        using var bed = new CaptureBed();
        bed.Send([1]);
        bed.Start();
        byte other = 2;
        bed.Tap.Packet(CaptureBed.Point + 1, CaptureDirection.In, &other, 1, 0, 0, 0);
        bed.Send([3]);
        Assert.Equal(bed.Ring.Address, bed.Tap.Attach(0));
        bed.Send([4]);
        Assert.Equal([3], Assert.Single(bed.TakeAll()).Bytes);
        Assert.Equal(1, bed.Ring.ReadCounters(CaptureBed.Point).Seen);
    }

    [Fact]
    public void A_streams_parts_join_and_a_lost_one_leaves_a_gap()
    {
        using CaptureBed bed = new CaptureBed().Start();
        byte[] stream = new byte[300_000];
        new Random(4).NextBytes(stream);
        var connection = new CaptureConnection { Peer = CaptureBed.Peer, Local = CaptureBed.Local, Subject = 77, Received = uint.MaxValue - 10_000, Sent = 5 };
        fixed (byte* bytes = stream)
        {
            bed.Tap.Stream(CaptureBed.Point, CaptureDirection.In, bytes, 100_000, ref connection);
            // The ring holds 256 KiB: the rest is counted, and its place in the stream stays empty.
            bed.Tap.Stream(CaptureBed.Point, CaptureDirection.In, bytes + 100_000, 200_000, ref connection);
            List<(CaptureRecord Record, byte[] Bytes)> all = bed.TakeAll();
            Assert.All(all, taken => Assert.Equal(
                (CaptureFraming.TcpPayload, CaptureDirection.In, CaptureBed.Peer, CaptureBed.Local, 77ul, 5u),
                (taken.Record.Framing, taken.Record.Direction, taken.Record.Peer, taken.Record.Local, taken.Record.Subject, taken.Record.Acknowledgement)));
            foreach ((CaptureRecord record, byte[] part) in all)
                Assert.Equal(stream.AsSpan((int)(record.Sequence + 10_001), part.Length).ToArray(), part);
            CapturePointCounters counters = bed.Ring.ReadCounters(CaptureBed.Point);
            Assert.Equal((11, 11, 11 - all.Count), (counters.Seen, counters.Accepted, (int)counters.Missed));
            Assert.Equal(9, all.Count);
            Assert.Equal(289_999u, connection.Received);

            bed.Tap.Stream(CaptureBed.Point, CaptureDirection.Out, bytes, 1, ref connection);
            CaptureRecord answer = bed.Take()!.Value.Record;
            Assert.Equal((5u, 289_999u, 6u), (answer.Sequence, answer.Acknowledgement, connection.Sent));
            bed.Tap.Attach(0);
            bed.Tap.Stream(CaptureBed.Point, CaptureDirection.Out, bytes, 1, ref connection);
            Assert.Equal(6u, connection.Sent);
        }
    }

    [Fact]
    public void What_the_port_does_not_take_is_marked()
    {
        using CaptureBed bed = new CaptureBed().Start();
        bed.Inner.Room = 2;
        Assert.Equal(2, bed.Send([1], [2], [3], [4]));
        Assert.Equal([false, false, true, true], bed.TakeAll().Select(taken => taken.Record.NotTaken));
    }

    [Fact]
    public void A_port_behind_a_port_is_captured_inside_the_same_call()
    {
        using var bed = new CaptureBed();
        using var ring = new CaptureRing(new CaptureRingOptions { Points = [CaptureBed.Point, 9] });
        bed.Tap.Attach(ring.Address);
        bed.Inner.Room = 1;
        var outer = new CapturingPort(bed.Port, bed.Tap, new CapturePort { Point = 9, ReceiveFraming = CaptureFraming.Ip, TransmitFraming = CaptureFraming.Ip });
        PacketBuffer** burst = stackalloc PacketBuffer*[2];
        for (int i = 0; i < 2; i++)
        {
            Assert.True(bed.Pool.TryRent(out burst[i]));
            burst[i]->TrySetLength(20);
        }
        Assert.Equal(1, outer.Transmit(burst, 2));
        bed.Pool.Return(burst[1]);
        var seen = new List<(int, bool)>();
        for (CaptureRecord* record = ring.Peek(); record != null; record = ring.Peek())
        {
            seen.Add((record->Point, record->NotTaken));
            ring.Release(record);
        }
        Assert.Equal([(9, false), (9, true), (CaptureBed.Point, false), (CaptureBed.Point, true)], seen);
        Assert.Same(bed.Inner, CapturingPort.Behind(outer));
    }

    [Fact]
    public void Long_packets_are_cut_and_keep_their_length()
    {
        using CaptureBed bed = new CaptureBed(snap: 60).Start();
        bed.Send([.. Enumerable.Range(0, 200).Select(i => (byte)i)]);
        (CaptureRecord record, byte[] bytes) = Assert.Single(bed.TakeAll());
        Assert.Equal((60, 200), (record.CapturedLength, record.OriginalLength));
        Assert.Equal(Enumerable.Range(0, 60).Select(i => (byte)i), bytes);
    }

    [Fact]
    public void Sampling_keeps_one_in_so_many()
    {
        using CaptureBed bed = new CaptureBed(sample: 10).Start();
        for (int i = 0; i < 95; i++)
            bed.Send([(byte)i]);
        Assert.Equal([0, 10, 20, 30, 40, 50, 60, 70, 80, 90], bed.TakeAll().Select(taken => (int)taken.Bytes[0]));
        Assert.Equal((95, 10, 0), Counters(bed));
    }

    [Fact]
    public void A_full_ring_counts_what_it_misses_and_takes_more_when_it_was_read()
    {
        using CaptureBed bed = new CaptureBed().Start();
        byte[] packet = new byte[1400];
        for (int i = 0; i < 1000; i++)
            Assert.Equal(1, bed.Send(packet));
        int kept = bed.TakeAll().Count;
        // 256 KiB hold 175 records of 96 + 1400 bytes.
        Assert.Equal(175, kept);
        Assert.Equal((1000, 1000, 1000 - kept), Counters(bed));
        bed.Send([42]);
        Assert.Equal([42], Assert.Single(bed.TakeAll()).Bytes);
    }

    [Fact]
    public void Random_lengths_come_out_whole_and_in_order_over_many_rounds_of_the_ring()
    {
        using CaptureBed bed = new CaptureBed().Start();
        var random = new Random(7);
        var expected = new Queue<byte[]>();
        for (int round = 0; round < 3_000; round++)
        {
            byte[][] packets = [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ =>
            {
                byte[] packet = new byte[random.Next(0, 1900)];
                random.NextBytes(packet);
                return packet;
            })];
            bed.Send(packets);
            packets.ToList().ForEach(expected.Enqueue);
            int taken = random.Next(0, expected.Count + 1);
            // Never more behind than the ring holds, so that nothing is missed.
            for (int i = expected.Count > 60 ? expected.Count : taken; i > 0; i--)
                Assert.Equal(expected.Dequeue(), bed.Take()!.Value.Bytes);
        }
        Assert.Equal(0, bed.Ring.ReadCounters(CaptureBed.Point).Missed);
    }

    [Fact]
    public void Two_threads_pass_packets_without_losing_or_changing_one()
    {
        using CaptureBed bed = new CaptureBed().Start();
        const int packets = 50_000;
        long sent = 0;
        var reader = new Thread(() =>
        {
            uint next = 0;
            while (next < packets)
            {
                CaptureRecord* record = bed.Ring.Peek();
                if (record == null)
                {
                    Thread.Yield();
                    continue;
                }
                ReadOnlySpan<byte> bytes = CaptureRing.BytesOf(record);
                if (BitConverter.ToUInt32(bytes) != next || bytes[^1] != (byte)next)
                    break;
                next++;
                bed.Ring.Release(record);
            }
            Volatile.Write(ref sent, next);
        });
        reader.Start();
        byte* packet = stackalloc byte[300];
        for (uint i = 0; i < packets; i++)
        {
            int length = 5 + (int)(i * 31 % 290);
            *(uint*)packet = i;
            packet[length - 1] = (byte)i;
            while (bed.Ring.ReadCounters(CaptureBed.Point) is var before)
            {
                bed.Tap.Packet(CaptureBed.Point, CaptureDirection.In, packet, length, i, 0, 0);
                if (bed.Ring.ReadCounters(CaptureBed.Point).Missed == before.Missed)
                    break;
                Thread.Yield();
            }
        }
        Assert.True(reader.Join(TimeSpan.FromSeconds(30)));
        Assert.Equal(packets, sent);
    }

    [Fact]
    public void The_memory_is_zeroed_before_it_is_given_back()
    {
        using var memory = new WatchedMemory();
        using CaptureBed bed = new CaptureBed(memory: memory).Start();
        bed.Send("the user's secret"u8.ToArray());
        Assert.True(memory.Contains("the user's secret"u8));
        bed.Tap.Attach(0);
        bed.DisposeRing();
        Assert.True(memory.WasFreed);
        Assert.False(memory.Contains("the user's secret"u8));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Capturing_allocates_nothing_on_or_off(bool on)
    {
        using var bed = new CaptureBed(CaptureFraming.UdpPayload);
        if (on)
            bed.Start();
        byte[][] packets = [.. Enumerable.Range(1, 32).Select(i => new byte[i * 40])];
        void Work()
        {
            for (int i = 0; i < 2_000; i++)
            {
                bed.Receive(packets);
                bed.Send(packets);
                for (CaptureRecord* record = bed.Ring.Peek(); record != null && i % 16 == 0; record = bed.Ring.Peek())
                    bed.Ring.Release(record);
            }
        }
        Work();
        AllocationReading reading = AllocationMeter.Measure(Work);
        Assert.Equal((0, 0, 0), (reading.AllocatedBytes, reading.LockContentions, reading.Exceptions));
        Assert.Equal(on ? 2 * 2 * 2_000 * 32 : 0, bed.Ring.ReadCounters(CaptureBed.Point).Seen);
        Assert.Equal(on, bed.Ring.ReadCounters(CaptureBed.Point).Missed > 0);
    }

    [Theory]
    [InlineData(1000, 100, 1, 0)]
    [InlineData(262_145, 100, 1, 0)]
    [InlineData(512 * 1024 * 1024, 100, 1, 0)]
    [InlineData(262_144, 0, 1, 0)]
    [InlineData(262_144, 65_536, 1, 0)]
    [InlineData(262_144, 100, 0, 0)]
    [InlineData(262_144, 100, 1, -1)]
    [InlineData(262_144, 100, 1, 256)]
    public void Impossible_sizes_are_refused(int ring, int snap, int sample, int point) =>
        Assert.Throws<ArgumentException>(() => new CaptureRing(new CaptureRingOptions { RingBytes = ring, SnapLength = snap, SampleEvery = sample, Points = [point] }));

    private static (long, long, long) Counters(CaptureBed bed) =>
        bed.Ring.ReadCounters(CaptureBed.Point) is var counters ? (counters.Seen, counters.Accepted, counters.Missed) : default;

    /// <summary>Memory that stays readable when it was given back.</summary>
    private sealed class WatchedMemory : IPacketMemory, IDisposable
    {
        private NativeBuffer? _buffer;

        public bool WasFreed { get; private set; }

        public byte* Allocate(nuint bytes, nuint alignment)
        {
            _buffer = new NativeBuffer((int)bytes);
            _buffer.Span.Clear();
            return _buffer.Pointer;
        }

        public void Free(byte* memory, nuint bytes)
        {
            Assert.Equal((nuint)_buffer!.Length, bytes);
            WasFreed = true;
        }

        public bool Contains(ReadOnlySpan<byte> bytes) => _buffer!.Span.IndexOf(bytes) >= 0;

        public void Dispose() => _buffer?.Dispose();
    }
}
