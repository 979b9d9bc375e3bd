using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>Inner packets through a whole lcore: from where to where, and what is refused on the way.</summary>
public sealed class ForwardingTests
{
    [Theory]
    [InlineData("10.8.0.10", "192.0.2.1")]
    [InlineData("fd00:8::10", "2001:db8::1")]
    public void UserAndTun_ExchangePackets_WithOneHopLess(string user, string host)
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10", "fd00:8::10");
        byte[] there = InnerPackets.Udp(user, host, 200);
        client.SendPacket(there);
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp(host, user, 300));
        bed.Poll();
        client.Receive();
        Assert.Equal(OneHopLess(there), Assert.Single(bed.Tun.Outgoing));
        Assert.Equal(OneHopLess(InnerPackets.Udp(host, user, 300)), Assert.Single(client.Packets));
        Assert.Equal((1ul, 200ul, 1ul, 300ul), (bed.Counters.Users.ReceivedPackets, bed.Counters.Users.ReceivedBytes, bed.Counters.Users.SentPackets, bed.Counters.Users.SentBytes));
        Assert.Equal((1ul, 300ul, 1ul, 200ul), (bed.Counters.Tun.ReceivedPackets, bed.Counters.Tun.ReceivedBytes, bed.Counters.Tun.SentPackets, bed.Counters.Tun.SentBytes));
        Assert.Equal(200ul, bed.Tunnel(client).Counters.ReceivedBytes);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Users_ReachEachOther()
    {
        using var bed = new WorkerBed();
        TestUser first = bed.Connect("10.8.0.10"), second = bed.Connect("10.8.0.11");
        byte[][] packets = [.. Enumerable.Range(0, 100).Select(i => InnerPackets.Udp("10.8.0.10", "10.8.0.11", 100 + i, seed: i))];
        foreach (byte[] packet in packets)
            first.SendPacket(packet);
        bed.Poll();
        second.Receive();
        Assert.Equal(packets.Select(OneHopLess), second.Packets);
        Assert.Empty(first.Frames);
    }

    [Theory]
    [InlineData("10.8.0.11", "192.0.2.1")]
    [InlineData("192.0.2.7", "192.0.2.1")]
    [InlineData("fd00:8::11", "2001:db8::1")]
    public void SpoofedSource_GetsNothing(string source, string destination)
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10", "fd00:8::10");
        TestUser victim = bed.Connect("10.8.0.11", "fd00:8::11");
        client.SendPacket(InnerPackets.Udp(source, destination));
        // Nor does an error tell anybody: neither the sender nor the owner of the address.
        client.SendPacket(InnerPackets.Udp(source, destination, hopLimit: 1));
        bed.Poll();
        client.Receive();
        victim.Receive();
        Assert.Empty(bed.Tun.Outgoing);
        Assert.Empty(client.Frames);
        Assert.Empty(victim.Frames);
        Assert.Equal(2ul, bed.Counters.Dropped(DropReason.SourceAddress));
        Assert.Equal(2ul, bed.Tunnel(client).Drops);
    }

    [Fact]
    public void TunnelWithoutIPv6_MayNotSendIt()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        client.SendPacket(InnerPackets.Udp("fd00:8::10", "2001:db8::1"));
        bed.Poll();
        Assert.Equal(1ul, bed.Counters.Dropped(DropReason.SourceAddress));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.5")]
    [InlineData("255.255.255.255")]
    [InlineData("169.254.1.1")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("ff02::1")]
    [InlineData("fe80::1")]
    public void SourceThatIsNobody_IsDropped_WithoutAnError(string source)
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10", "fd00:8::10");
        string user = source.Contains(':', StringComparison.Ordinal) ? "fd00:8::10" : "10.8.0.10";
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp(source, user));
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp(source, user, hopLimit: 1));
        bed.Poll();
        client.Receive();
        Assert.Empty(client.Frames);
        Assert.Empty(bed.Tun.Outgoing);
        Assert.Equal(2ul, bed.Counters.Dropped(DropReason.SourceAddress));
        bed.AssertNothingHeld();
    }

    [Fact]
    public void LocalNetwork_MayNotSpeakForUsers()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp("10.8.0.20", "10.8.0.10"));
        bed.Poll();
        client.Receive();
        Assert.Empty(client.Frames);
        Assert.Equal(1ul, bed.Counters.Dropped(DropReason.SourceAddress));
    }

    [Theory]
    [InlineData("10.8.0.99", DropReason.NoTunnel)]
    [InlineData("203.0.113.1", DropReason.NoRoute)]
    public void UnreachableDestination_IsToldToTheSender(string destination, object reason)
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        client.SendPacket(InnerPackets.Udp("10.8.0.10", destination));
        bed.Poll();
        client.Receive();
        Assert.Equal(1ul, bed.Counters.Dropped((DropReason)reason));
        Assert.Equal((1, 3, 0), (Assert.Single(client.Packets)[9], client.Packets[0][20], client.Packets[0][21]));
    }

    [Theory]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("127.0.0.1")]
    public void GroupsAndLocalAddresses_AreNotForwarded(string destination)
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        client.SendPacket(InnerPackets.Udp("10.8.0.10", destination));
        bed.Poll();
        client.Receive();
        Assert.Empty(client.Frames);
        Assert.Equal(1ul, bed.Counters.Dropped(DropReason.DestinationAddress));
    }

    [Fact]
    public void UsedUpHopLimit_IsTimeExceeded()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        client.SendPacket(InnerPackets.Udp("10.8.0.10", "192.0.2.1", hopLimit: 1));
        bed.Poll();
        client.Receive();
        Assert.Empty(bed.Tun.Outgoing);
        Assert.Equal((11, 0), (Assert.Single(client.Packets)[20], client.Packets[0][21]));
        Assert.Equal(1ul, bed.Counters.Dropped(DropReason.HopLimit));
    }

    [Fact]
    public void PacketBeyondTheMtu_IsAnsweredWithThatMtu()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10", "fd00:8::10", mtu: 1300);
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp("192.0.2.1", "10.8.0.10", 1301));
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp("2001:db8::1", "fd00:8::10", 1301));
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp("192.0.2.1", "10.8.0.10", 1300));
        bed.Poll();
        client.Receive();
        Assert.Single(client.Packets);
        Assert.Equal(2, bed.Tun.Outgoing.Count);
        Assert.Equal((3, 4, 1300 >> 8, 1300 & 255), (bed.Tun.Outgoing[0][20], bed.Tun.Outgoing[0][21], bed.Tun.Outgoing[0][26], bed.Tun.Outgoing[0][27]));
        Assert.Equal((2, 1300 >> 8, 1300 & 255), (bed.Tun.Outgoing[1][40], bed.Tun.Outgoing[1][46], bed.Tun.Outgoing[1][47]));
        Assert.Equal(2ul, bed.Counters.Dropped(DropReason.TooBig));
    }

    [Fact]
    public void Errors_AreRateLimited()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        for (int i = 0; i < 500; i++)
        {
            client.SendPacket(InnerPackets.Udp("10.8.0.10", "203.0.113.1", 28));
            bed.Poll();
            client.Receive();
        }
        Assert.Equal(100, client.Packets.Count);
        Assert.Equal(400ul, bed.Counters.Dropped(DropReason.IcmpRateLimited));
    }

    [Fact]
    public void FullTunPort_CountsAndReturnsWhatItDidNotTake()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        bed.Tun.Room = 3;
        for (int i = 0; i < 10; i++)
            client.SendPacket(InnerPackets.Udp("10.8.0.10", "192.0.2.1"));
        bed.Poll();
        Assert.Equal(3, bed.Tun.Outgoing.Count);
        Assert.Equal(7ul, bed.Counters.Dropped(DropReason.TunFull));
        Assert.Equal(3ul, bed.Counters.Tun.SentPackets);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void PaddedAndMalformedInnerPackets_AreCutOrDropped()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        byte[] packet = InnerPackets.Udp("10.8.0.10", "192.0.2.1");
        client.SendPacket([.. packet, 1, 2, 3]);
        client.SendPacket(packet.AsSpan(0, 50));
        client.SendPacket([]);
        // Longer than any MTU: opened in a large buffer, and not forwarded.
        client.SendPacket(InnerPackets.Udp("10.8.0.10", "192.0.2.1", 9000));
        // A small packet in a long record is forwarded.
        client.SendPacket([.. packet, .. new byte[9000]]);
        bed.Poll();
        Assert.Equal(OneHopLess(packet), bed.Tun.Outgoing[0]);
        Assert.Equal(2ul, bed.Counters.Dropped(DropReason.InnerMalformed));
        Assert.Equal(2ul, bed.Counters.Dropped(DropReason.Oversize));
        Assert.Single(bed.Tun.Outgoing);
        bed.AssertNothingHeld();
    }

    internal static byte[] OneHopLess(byte[] packet)
    {
        byte[] after = [.. packet];
        if (after[0] >> 4 == 6)
        {
            after[7]--;
            return after;
        }
        after[8]--;
        InnerPackets.FixHeaderChecksum(after);
        return after;
    }
}
