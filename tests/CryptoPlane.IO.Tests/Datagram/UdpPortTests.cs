using System.Net;
using System.Net.Sockets;
using CryptoPlane.Buffers;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Datagram;

public sealed unsafe class UdpPortTests
{
    private static UdpPort Open(PacketPool pool, string address = "127.0.0.1", bool offloads = true) =>
        new(new UdpPortOptions { Local = new IPEndPoint(IPAddress.Parse(address), 0), ReusePort = false, Offloads = offloads }, pool);

    private static byte[] Payload(int number, int length)
    {
        byte[] payload = new byte[length];
        new Random(number).NextBytes(payload);
        return payload;
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("::1", true)]
    [InlineData("::1", false)]
    public void A_burst_of_mixed_sizes_arrives_in_order_with_its_sender(string address, bool offloads)
    {
        using var pool = new PacketPool(512, 2048);
        using UdpPort sender = Open(pool, address, offloads);
        using UdpPort receiver = Open(pool, address, offloads);
        PacketEndpoint peer = PacketEndpoint.From(receiver.LocalEndPoint);

        // Runs of one length with a shorter end, single packets, an empty one, one longer than the one before.
        int[] lengths = [1400, 1400, 1400, 900, 60, 0, 60, 60, 1, 2, 1400, .. Enumerable.Repeat(1200, 100), 5];
        Send(sender, pool, peer, lengths);
        var received = PortHarness.Receive(receiver, pool, lengths.Length);

        Assert.Equal(lengths.Length, received.Count);
        for (int i = 0; i < lengths.Length; i++)
        {
            Assert.Equal(Payload(i, lengths[i]), received[i].Payload);
            Assert.Equal(sender.LocalEndPoint, received[i].Peer.ToIPEndPoint());
        }
        Assert.Equal(lengths.Length, sender.ReadCounters().TransmittedPackets);
        Assert.Equal(lengths.Sum(), receiver.ReadCounters().ReceivedBytes);
        Assert.Equal(offloads, sender.ReadCounters().TransmittedSuperPackets > 0);
        Assert.Equal(512, pool.Available);
    }

    [Fact]
    public void What_does_not_fit_the_callers_burst_is_handed_out_later()
    {
        using var pool = new PacketPool(128, 2048);
        using UdpPort sender = Open(pool);
        using UdpPort receiver = Open(pool);
        Send(sender, pool, PacketEndpoint.From(receiver.LocalEndPoint), [.. Enumerable.Repeat(500, 40)]);

        PacketBuffer* one;
        Eventually.True(() => ReceiveOne(receiver, pool), "the first datagram");
        Assert.True(receiver.HasPendingPackets);
        int more = 0;
        while (receiver.Receive(&one, 1) == 1)
        {
            pool.Return(one);
            more++;
        }
        Assert.Equal(39, more);
        Assert.False(receiver.HasPendingPackets);
    }

    [Fact]
    public void An_empty_pool_loses_nothing()
    {
        using var sendPool = new PacketPool(16, 2048);
        using var pool = new PacketPool(2, 2048);
        using UdpPort sender = Open(sendPool);
        using UdpPort receiver = Open(pool);
        Send(sender, sendPool, PacketEndpoint.From(receiver.LocalEndPoint), [100, 200, 300]);

        PacketBuffer** burst = stackalloc PacketBuffer*[4];
        nint address = (nint)burst;
        Eventually.True(() => receiver.Receive((PacketBuffer**)address, 4) == 2, "two datagrams, all that the pool has room for");
        Assert.True(receiver.ReadCounters().NoBuffer > 0);
        pool.Return(burst, 2);
        Assert.Equal(1, receiver.Receive(burst, 4));
        Assert.Equal(300, burst[0]->Length);
        pool.Return(burst, 1);
    }

    [Fact]
    public void A_datagram_longer_than_a_buffer_is_dropped_and_counted()
    {
        using var pool = new PacketPool(8, 512, headroom: 64);
        using UdpPort receiver = Open(pool);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SendTo(new byte[1000], receiver.LocalEndPoint);
        socket.SendTo(new byte[100], receiver.LocalEndPoint);

        var received = PortHarness.Receive(receiver, pool, 1);
        Assert.Equal(100, Assert.Single(received).Payload.Length);
        Assert.Equal(1, receiver.ReadCounters().DropTooLong);
        Assert.Equal(8, pool.Available);
    }

    [Fact]
    public void What_the_kernel_refuses_is_dropped_and_the_rest_goes_on()
    {
        using var pool = new PacketPool(16, 2048);
        using UdpPort sender = Open(pool);
        using UdpPort receiver = Open(pool);
        PacketEndpoint good = PacketEndpoint.From(receiver.LocalEndPoint);
        PacketEndpoint noPort = PacketEndpoint.From(new IPEndPoint(IPAddress.Loopback, 0));

        PortHarness.Send(sender,
            PortHarness.Packet(pool, default, Payload(0, 100)),
            PortHarness.Packet(pool, noPort, Payload(0, 100)),
            PortHarness.Packet(pool, good, Payload(7, 77)));

        Assert.Equal(Payload(7, 77), Assert.Single(PortHarness.Receive(receiver, pool, 1)).Payload);
        Assert.Equal(2, sender.ReadCounters().DropRefused);
        Assert.Equal(16, pool.Available);
    }

    [Fact]
    public void A_run_that_the_kernel_refuses_does_not_end_segmentation_for_other_peers()
    {
        using var pool = new PacketPool(64, 2048);
        using UdpPort sender = Open(pool);
        using UdpPort receiver = Open(pool);
        Send(sender, pool, PacketEndpoint.From(new IPEndPoint(IPAddress.Loopback, 0)), [100, 100, 100]);
        Assert.Equal(3, sender.ReadCounters().DropRefused);

        Send(sender, pool, PacketEndpoint.From(receiver.LocalEndPoint), [.. Enumerable.Repeat(100, 20)]);
        Assert.Equal(20, PortHarness.Receive(receiver, pool, 20).Count);
        Assert.Equal(1, sender.ReadCounters().TransmittedSuperPackets);
    }

    [Fact]
    public void A_peer_that_is_not_there_disturbs_nothing()
    {
        using var pool = new PacketPool(16, 2048);
        using UdpPort sender = Open(pool);
        PacketEndpoint nobody = PacketEndpoint.From(new IPEndPoint(IPAddress.Loopback, FreePort.Udp()));
        for (int i = 0; i < 10; i++)
            Send(sender, pool, nobody, [100, 100]);
        PortHarness.Drain(sender, pool, []);
        Assert.Equal(20, sender.ReadCounters().TransmittedPackets + sender.ReadCounters().DropRefused);
    }

    [Fact]
    public void An_address_that_is_not_ours_is_a_clear_error()
    {
        using var pool = new PacketPool(1, 2048);
        var error = Assert.Throws<InvalidOperationException>(() => Open(pool, "192.0.2.1"));
        Assert.Contains("192.0.2.1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_steady_state_allocates_nothing_and_takes_no_lock()
    {
        using var pool = new PacketPool(256, 2048);
        using UdpPort sender = Open(pool);
        using UdpPort receiver = Open(pool);
        PacketEndpoint peer = PacketEndpoint.From(receiver.LocalEndPoint);
        Exchange(sender, receiver, pool, peer, 2_000);
        AllocationReading reading = AllocationMeter.Measure(() => Exchange(sender, receiver, pool, peer, 10_000));
        Assert.Equal(new AllocationReading(0, 0, 0), reading);
    }

    private static void Exchange(UdpPort sender, UdpPort receiver, PacketPool pool, PacketEndpoint peer, int packets)
    {
        PacketBuffer** burst = stackalloc PacketBuffer*[32];
        for (int done = 0; done < packets; done += 32)
        {
            for (int i = 0; i < 32; i++)
            {
                pool.TryRent(out burst[i]);
                burst[i]->TrySetLength(i < 16 ? 1200 : 60 + i);
                *(PacketEndpoint*)burst[i]->Scratch = peer;
            }
            sender.Transmit(burst, 32);
            int received;
            while ((received = receiver.Receive(burst, 32)) > 0)
                pool.Return(burst, received);
        }
    }

    private static bool ReceiveOne(UdpPort port, PacketPool pool)
    {
        PacketBuffer* packet;
        if (port.Receive(&packet, 1) == 0)
            return false;
        pool.Return(packet);
        return true;
    }

    private static void Send(UdpPort port, PacketPool pool, PacketEndpoint peer, int[] lengths) =>
        PortHarness.Send(port, [.. lengths.Select((length, i) => PortHarness.Packet(pool, peer, Payload(i, length)))]);
}
