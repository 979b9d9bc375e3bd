using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>Clients that read slowly or not at all: what they hold is bounded, and what was sealed arrives whole and in order.</summary>
public sealed class SlowReaderTests
{
    private const int PacketLength = 1000;

    [Fact]
    public void ClientThatDoesNotRead_HoldsNoMoreThanItsBound()
    {
        const int bound = 50_000;
        using var bed = new WorkerBed();
        var user = new TestUser(1, brokerSendBuffer: 16_384);
        TestUser client = bed.Connect("10.8.0.10", user: user, unsentBound: bound);
        for (int i = 0; i < 1000; i++)
        {
            bed.Tun.Incoming.Enqueue(Numbered(i));
            if (i % 10 == 0)
                bed.Poll();
            Assert.InRange(bed.Tunnel(client).Unsent.Length, 0, bound);
        }
        bed.Poll();
        Assert.InRange(bed.Tunnel(client).Unsent.Length, bound - 2000, bound);
        ulong sealedPackets = bed.Counters.Users.SentPackets;
        Assert.Equal(1000 - sealedPackets, bed.Counters.Dropped(DropReason.SlowReader));
        Assert.Equal(1000 - sealedPackets, bed.Tunnel(client).Drops);

        // Nothing that got a sequence number is missing, however small the pieces are in which it leaves.
        ReadAll(bed, client, piece: 777);
        Assert.Equal(sealedPackets, (ulong)client.Packets.Count);
        Assert.Equal(client.Packets.Select(NumberOf), client.Packets.Select(NumberOf).Order());
        Assert.Equal(0, bed.Tunnel(client).Unsent.Length);
        Assert.Equal(TunnelFlags.None, bed.Tunnel(client).Flags);

        bed.Tun.Incoming.Enqueue(Numbered(5000));
        bed.Poll();
        client.Receive();
        Assert.Equal(5000, NumberOf(client.Packets[^1]));
        bed.AssertNothingHeld();
    }

    [Fact]
    public void SlowReaders_LeaveMemoryToOthers()
    {
        // Memory for four full bounds, and twelve clients that do not read.
        using var bed = new WorkerBed(sizes: new LcoreSizes { Tunnels = 64, Packets = 2048, UnsentChunks = 100, PartialChunks = 64 });
        TestUser[] slow = [.. Enumerable.Range(0, 12).Select(i => bed.Connect($"10.8.0.{10 + i}", user: new TestUser(i + 1, brokerSendBuffer: 8192), unsentBound: 50_000))];
        for (int i = 0; i < 200; i++)
        {
            for (int client = 0; client < slow.Length; client++)
                bed.Tun.Incoming.Enqueue(InnerPackets.Udp("192.0.2.1", $"10.8.0.{10 + client}", PacketLength));
            bed.Poll();
        }
        Assert.True(bed.Context.UnsentMemory.Available > 0, "slow readers have taken everything");
        TestUser quick = bed.Connect("10.8.0.100");
        for (int i = 0; i < 20; i++)
        {
            bed.Tun.Incoming.Enqueue(InnerPackets.Udp("192.0.2.1", "10.8.0.100", PacketLength));
            bed.Poll();
            quick.Receive();
        }
        Assert.Equal(20, quick.Packets.Count);
        foreach (TestUser client in slow)
            ReadAll(bed, client, 4096);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void EndOfATunnelWithUnsentBytes_ComesBehindThem()
    {
        using var bed = new WorkerBed();
        var user = new TestUser(1, brokerSendBuffer: 8192);
        TestUser client = bed.Connect("10.8.0.10", user: user);
        for (int i = 0; i < 60; i++)
            bed.Tun.Incoming.Enqueue(Numbered(i));
        bed.Poll();
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Detach, Slot = client.Slot, Value = 1, Reason = VpnBroker.DataPlane.Contracts.TunnelEndReason.Administrator });
        bed.Poll();
        Assert.Equal(TunnelState.Draining, bed.Tunnel(client).State);
        ReadAll(bed, client, 500);
        Assert.Equal(60, client.Packets.Count);
        Assert.Equal(VpnBroker.DataPlane.Cstp.CstpType.Disconnect, client.Frames[^1].Type);
        Assert.Equal(CryptoPlane.Tls.TlsAlert.CloseNotify, client.Alert);
    }

    private static void ReadAll(WorkerBed bed, TestUser client, int piece)
    {
        for (int idle = 0; idle < 2;)
        {
            idle = client.Receive(piece) == 0 ? idle + 1 : 0;
            bed.Poll();
        }
    }

    private static byte[] Numbered(int number)
    {
        byte[] packet = InnerPackets.Udp("192.0.2.1", "10.8.0.10", PacketLength);
        BitConverter.TryWriteBytes(packet.AsSpan(40), number);
        return packet;
    }

    private static int NumberOf(byte[] packet) => BitConverter.ToInt32(packet, 40);
}
