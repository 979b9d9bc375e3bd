namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>Connections that always have something to read, more of it than one turn of the lcore takes.</summary>
public sealed class FairnessTests
{
    [Fact]
    public void FloodOfSome_DoesNotKeepOthersFromBeingRead()
    {
        // Eight connections with their fair share fill the receive area: with twelve, four get nothing in each turn.
        const int clients = 12, turns = 12, backlog = 70;
        using var bed = new WorkerBed();
        TestUser[] users = [.. Enumerable.Range(0, clients).Select(i => bed.Connect($"10.8.0.{10 + i}"))];
        ulong[] read = new ulong[clients];
        for (int i = 0; i < clients; i++)
            Send(users[i], i, backlog);
        for (int turn = 0; turn < turns; turn++)
        {
            bed.Worker.Poll(bed.Now.Ticks * 100);
            for (int i = 0; i < clients; i++)
            {
                ulong now = bed.Tunnel(users[i]).Counters.ReceivedPackets;
                Send(users[i], i, (int)(now - read[i]));
                read[i] = now;
            }
        }
        Assert.True(read.Max() > backlog, "nobody's backlog was larger than a turn");
        Assert.All(read, packets => Assert.InRange(packets, (ulong)turns, ulong.MaxValue));
    }

    private static void Send(TestUser user, int index, int packets)
    {
        byte[] packet = InnerPackets.Udp($"10.8.0.{10 + index}", "192.0.2.1", 1380);
        user.Send([.. Enumerable.Range(0, packets).SelectMany(_ => user.Seal(VpnBroker.DataPlane.Cstp.CstpType.Data, packet))]);
    }
}
