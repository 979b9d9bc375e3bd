using CryptoPlane.Capture;
using CryptoPlane.IO;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>What an lcore shows of inner packets: each once, whole, on the way that it takes, and only at the points that were asked for.</summary>
public sealed unsafe class InnerCaptureTests
{
    private const string User = "10.8.0.10", Other = "10.8.0.11", Host = "192.0.2.1";

    [Fact]
    public void A_users_packets_are_shown_opened_and_before_sealing()
    {
        using var bed = new WorkerBed();
        using var ring = new CaptureRing(new CaptureRingOptions { Points = [CapturePoint.Inner] });
        TestUser client = bed.Connect(User);
        Switch(bed, ring);
        byte[][] there = [.. Enumerable.Range(0, 100).Select(i => InnerPackets.Udp(User, Host, 100 + i, seed: i))];
        byte[][] back = [.. Enumerable.Range(0, 100).Select(i => InnerPackets.Udp(Host, User, 300 + i, seed: i))];
        for (int i = 0; i < 100; i++)
        {
            client.SendPacket(there[i]);
            bed.Tun.Incoming.Enqueue(back[i]);
        }
        // Records that carry no packet are not shown, nor what is said to the client in their place.
        client.Send(client.Seal(CstpType.DpdRequest, []));
        bed.Poll();
        client.Receive();

        Shown[] shown = Read(ring);
        Assert.All(shown, packet => Assert.Equal((CapturePoint.Inner, CaptureNotes.OfSession(7), null), (packet.Point, packet.Subject, packet.Drop)));
        Assert.Equal(there, shown.Where(packet => packet.Direction == CaptureDirection.In).Select(packet => packet.Bytes));
        Assert.Equal(back.Select(ForwardingTests.OneHopLess), shown.Where(packet => packet.Direction == CaptureDirection.Out).Select(packet => packet.Bytes));
        Assert.Equal(client.Packets, shown.Where(packet => packet.Direction == CaptureDirection.Out).Select(packet => packet.Bytes));

        // After the end the ring is the reader's alone.
        Switch(bed, null);
        client.SendPacket(there[0]);
        bed.Poll();
        Assert.Empty(Read(ring));
        Assert.Equal(200, ring.ReadCounters(CapturePoint.Inner).Seen);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Connections_are_shown_as_the_wire_has_them()
    {
        using var bed = new WorkerBed();
        using var ring = new CaptureRing(new CaptureRingOptions { Points = [CapturePoint.Tls] });
        TestUser client = bed.Connect(User);
        Switch(bed, ring);
        byte[] sent = [.. Enumerable.Range(0, 50).SelectMany(i => client.Seal(CstpType.Data, InnerPackets.Udp(User, Host, 1000, seed: i)))];
        for (int i = 0; i < 50; i++)
            bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, User, 1200, seed: i));
        // Cut where no record ends.
        client.Send(sent.AsSpan(0, 7777));
        bed.Poll();
        client.Send(sent.AsSpan(7777));
        bed.Poll();
        byte[] received = new byte[100_000];
        int count;
        fixed (byte* bytes = received)
            Assert.Equal(IoStatus.Done, TcpSocket.Receive(client.ClientSocket, bytes, received.Length, out count));

        Shown[] shown = Read(ring);
        Assert.All(shown, part => Assert.Equal(CapturePoint.Tls, part.Point));
        Assert.Equal(sent, shown.Where(part => part.Direction == CaptureDirection.In).SelectMany(part => part.Bytes));
        Assert.Equal(received[..count], shown.Where(part => part.Direction == CaptureDirection.Out).SelectMany(part => part.Bytes));
        Assert.Equal(50, bed.Tun.Outgoing.Count);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Dropped_packets_are_shown_with_their_reason()
    {
        using var bed = new WorkerBed();
        using var ring = new CaptureRing(new CaptureRingOptions { Points = [CapturePoint.Dropped] });
        TestUser client = bed.Connect(User);
        Switch(bed, ring);
        byte[] spoofed = InnerPackets.Udp(Other, Host), lost = InnerPackets.Udp(User, "203.0.113.1");
        client.SendPacket(spoofed);
        client.SendPacket(lost);
        client.SendPacket(InnerPackets.Udp(User, Host));
        bed.Poll();
        Shown[] shown = Read(ring);
        Assert.Equal(
            [CaptureNotes.DropReasonOf((ushort)DropReason.SourceAddress), CaptureNotes.DropReasonOf((ushort)DropReason.NoRoute)],
            shown.Select(packet => packet.Drop));
        Assert.Equal(spoofed, shown[0].Bytes);
        Assert.Equal(lost, shown[1].Bytes);
        Assert.All(shown, packet => Assert.Equal((CapturePoint.Dropped, CaptureDirection.None), (packet.Point, packet.Direction)));
    }

    [Fact]
    public void A_full_ring_loses_packets_of_the_capture_and_of_nobody_else()
    {
        using var bed = new WorkerBed();
        using var ring = new CaptureRing(new CaptureRingOptions { Points = [CapturePoint.Inner], RingBytes = 256 * 1024 });
        TestUser client = bed.Connect(User);
        Switch(bed, ring);
        for (int i = 0; i < 1000; i++)
        {
            client.SendPacket(InnerPackets.Udp(User, Host, 1000, seed: i));
            if (i % 20 == 0)
                bed.Poll();
        }
        bed.Poll();
        Assert.Equal(1000, bed.Tun.Outgoing.Count);
        CapturePointCounters counters = ring.ReadCounters(CapturePoint.Inner);
        Assert.Equal((1000, 1000), (counters.Seen, counters.Accepted));
        Assert.InRange(counters.Missed, 700, 800);
        Assert.Equal(1000 - counters.Missed, Read(ring).Length);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Capturing_allocates_nothing()
    {
        using var bed = new WorkerBed();
        using var ring = new CaptureRing(new CaptureRingOptions { Points = [CapturePoint.Inner, CapturePoint.Dropped, CapturePoint.Tls], RingBytes = 256 * 1024 });
        TestUser client = bed.Connect(User);
        Switch(bed, ring);
        // Without a route: the packet is shown opened and dropped, and nothing else of the test's is called.
        byte[] record = client.Seal(CstpType.Data, InnerPackets.Udp(Other, Host));
        client.Send(record);
        bed.Worker.Poll(bed.Now.Ticks * 100);
        byte[][] records = [.. Enumerable.Range(0, 200).Select(_ => client.Seal(CstpType.Data, InnerPackets.Udp(Other, Host)))];
        long allocated = 0;
        foreach (byte[] next in records)
        {
            client.Send(next);
            long before = GC.GetAllocatedBytesForCurrentThread();
            bed.Worker.Poll(bed.Now.Ticks * 100);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.Equal(0, allocated);
        Assert.Equal(201, ring.ReadCounters(CapturePoint.Inner).Seen);
        Assert.Equal(201, ring.ReadCounters(CapturePoint.Dropped).Seen);
        Assert.Equal(201, ring.ReadCounters(CapturePoint.Tls).Seen);
    }

    private static void Switch(WorkerBed bed, CaptureRing? ring)
    {
        bed.Events.Clear();
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Capture, Pointer = ring?.Address ?? 0 });
        bed.Poll();
        Assert.Contains(bed.Events, report => report.Kind == LcoreEventKind.CaptureSwitched);
    }

    private static Shown[] Read(CaptureRing ring)
    {
        var shown = new List<Shown>();
        for (CaptureRecord* record = ring.Peek(); record != null; record = ring.Peek())
        {
            shown.Add(new Shown(record->Point, record->Direction, record->Subject, CaptureNotes.DropReasonOf(record->Note), CaptureRing.BytesOf(record).ToArray()));
            ring.Release(record);
        }
        return [.. shown];
    }

    private sealed record Shown(int Point, CaptureDirection Direction, ulong Subject, string? Drop, byte[] Bytes);
}
