using CryptoPlane.Flows.Sessions;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Flows;

/// <summary>Sessions are read from another thread without the lcore waiting.</summary>
public sealed unsafe class FlowReaderTests
{
    private const string User = "10.8.0.10", Server = "192.0.2.1";

    [Fact]
    public void All_sessions_come_once_though_the_ring_is_smaller()
    {
        using var bed = new WorkerBed(flows: new FlowSettings { Maximum = 8192, Initial = 64 });
        TestUser user = bed.Connect(User);
        for (int port = 1; port <= 3000; port++)
        {
            user.SendPacket(FlowPackets.Udp(User, Server, (ushort)port, 53));
            if (port % 50 == 0)
                bed.Poll();
        }
        FlowReader reader = bed.Context.Flows!.Reader;
        var filter = default(FlowFilter);
        nint address = (nint)(&filter);
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Flows, Slot = 5, Pointer = address });
        var ports = new List<int>();
        bool ended = false;
        // Nobody reads: the lcore goes on with its work, and says that it has nothing to do until somebody does.
        bed.Poll();
        for (int turn = 0; turn < 100; turn++)
            bed.Worker.Poll(bed.Now.Ticks * 100);
        Assert.False(bed.Worker.HasPendingWork);
        Assert.Equal((bed.Now.Ticks * 100) + 1_000_000, bed.Worker.NextDeadline);
        for (int turn = 0; turn < 1000 && !ended; turn++)
        {
            while (reader.Ring.TryDequeue(out FlowView view))
            {
                Assert.Equal(5, view.Reading);
                ended = view.Key.Kind == SessionKeyKind.None;
                if (!ended)
                    ports.Add(view.Key.LowerPort);
            }
            bed.Worker.Poll(bed.Now.Ticks * 100);
        }
        Assert.True(ended);
        Assert.Equal(Enumerable.Range(1, 3000), ports.Order());
        Assert.Contains(bed.Events, report => report.Kind == LcoreEventKind.FlowsBegun && report.Pointer == address);
    }

    [Fact]
    public void A_filter_takes_its_part_and_a_new_reading_ends_the_old_one()
    {
        using var bed = new WorkerBed();
        TestUser user = bed.Connect(User);
        for (ushort port = 1; port <= 40; port++)
            user.SendPacket(FlowPackets.Udp(User, Server, port, 53));
        bed.Poll();
        FlowReader reader = bed.Context.Flows!.Reader;
        FlowFilter all = default, one = new() { HasPort = true, Port = 7 };
        reader.Begin(&all, 1);
        reader.Begin(&one, 2);
        for (int turn = 0; turn < 10; turn++)
            reader.Run(now: turn);
        Assert.True(reader.Ring.TryDequeue(out FlowView view));
        Assert.Equal((2, 7, 0L), (view.Reading, view.Key.LowerPort, view.Now));
        Assert.True(reader.Ring.TryDequeue(out view));
        Assert.Equal(SessionKeyKind.None, view.Key.Kind);
        Assert.False(reader.Ring.TryDequeue(out _));
        Assert.False(reader.IsReading);
    }
}
