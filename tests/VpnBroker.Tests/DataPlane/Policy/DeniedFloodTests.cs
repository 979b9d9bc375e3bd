using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Policy;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Policy;

/// <summary>Strangers who knock at closed doors take no place from anybody.</summary>
public sealed unsafe class DeniedFloodTests : IDisposable
{
    private const string Alice = "10.8.0.10", Server = "192.0.2.1";
    private const int Maximum = 4096, Share = 256;
    private static readonly PolicyVerdict s_deny = new(1, PolicyAction.Deny);

    private readonly PolicySnapshot _dnsOnly = PolicySnapshot.Compile([Allow(53)], s_deny, 1);
    private readonly PolicySnapshot _nothing = PolicySnapshot.Compile([], s_deny, 2);

    public void Dispose()
    {
        _dnsOnly.Dispose();
        _nothing.Dispose();
    }

    [Fact]
    public void A_flood_of_denied_flows_evicts_no_session_that_passes()
    {
        using WorkerBed bed = Bed(WhenFull.EvictOldestIdle);
        TestUser alice = bed.Connect(Alice);
        Open(bed, alice, 1, Maximum);
        // They were idle for long, and every stranger is new.
        bed.Pass(TimeSpan.FromSeconds(20));
        Flood(bed, 20_000);
        Assert.Equal((Maximum, 0UL), (Passing(bed), bed.Counters.Flows.Evicted));
        Assert.Equal((20_000UL, 0UL), (bed.Counters.Dropped(DropReason.PolicyDenied), bed.Counters.Dropped(DropReason.FlowTableFull)));
        Assert.Equal((Share, 20_000UL - Share), (bed.Counters.Flows.Denied, bed.Counters.Flows.DeniedEvicted));
        Assert.Equal(Maximum + Share, bed.Context.Flows!.Table.Count);
        Assert.Equal((Maximum + Share, Maximum), (bed.Counters.Flows.Active, bed.Counters.Flows.Maximum));

        // Whoever passes makes room for who passes, and the denied ones stay out of that.
        int outgoing = bed.Tun.Outgoing.Count;
        Open(bed, alice, Maximum + 1, 100);
        Assert.Equal((outgoing + 100, 100UL), (bed.Tun.Outgoing.Count, bed.Counters.Flows.Evicted));
        Assert.Equal((Maximum, Share), (Passing(bed), bed.Counters.Flows.Denied));

        bed.Pass(TimeSpan.FromSeconds(40));
        Assert.Equal((0, 0), (bed.Context.Flows.Table.Count, bed.Counters.Flows.Denied));
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Where_a_full_table_refuses_a_flood_leaves_room_for_sessions_that_pass()
    {
        using WorkerBed bed = Bed(WhenFull.Refuse);
        TestUser alice = bed.Connect(Alice);
        Flood(bed, 10_000);
        Assert.Equal((Share, 0UL), (bed.Counters.Flows.Denied, bed.Counters.Flows.Untracked));
        Open(bed, alice, 1, Maximum - Share);
        Assert.Equal((Maximum - Share, Maximum), (bed.Tun.Outgoing.Count, bed.Context.Flows!.Table.Count));
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Sessions_that_a_new_policy_denies_count_among_the_denied_and_back()
    {
        using WorkerBed bed = Bed(WhenFull.EvictOldestIdle);
        TestUser alice = bed.Connect(Alice);
        Open(bed, alice, 1, 1000);
        bed.Context.Policy = _nothing.Tables;
        Open(bed, alice, 1, 1000);
        Assert.Equal((0, Share, 744UL), (Passing(bed), bed.Counters.Flows.Denied, bed.Counters.Flows.DeniedEvicted));
        bed.Context.Policy = null;
        Open(bed, alice, 745, 256);
        Assert.Equal((Share, 0), (Passing(bed), bed.Counters.Flows.Denied));
        Flood(bed, 100);
        Assert.Equal((Share + 100, 0), (Passing(bed), bed.Counters.Flows.Denied));
    }

    private static PolicyRule Allow(ushort port) => new()
    {
        Id = 2, Name = "dns", Action = PolicyAction.Allow, Ports = [new PolicyPortRange(port, port)], IngressKinds = 1u << (int)FlowTunnelKind.User,
    };

    private WorkerBed Bed(WhenFull whenFull)
    {
        var bed = new WorkerBed(flows: new FlowSettings { Maximum = Maximum, Initial = 64, WhenFull = whenFull });
        bed.Context.Policy = _dnsOnly.Tables;
        return bed;
    }

    /// <summary>Sends a packet of each of so many sessions that are allowed.</summary>
    private static void Open(WorkerBed bed, TestUser user, int first, int count)
    {
        for (int i = 0; i < count; i++)
        {
            user.SendPacket(FlowPackets.Udp(Alice, Server, (ushort)(first + i), 53));
            if (i % 50 == 49)
                bed.Poll();
        }
        bed.Poll();
    }

    /// <summary>Strangers send from everywhere, in bursts that are as large as a burst can be.</summary>
    private static void Flood(WorkerBed bed, int count)
    {
        for (int i = 0; i < count; i++)
        {
            bed.Tun.Incoming.Enqueue(FlowPackets.Udp($"192.0.2.{2 + (i % 250)}", Alice, (ushort)(1024 + (i / 250)), 22));
            if (i % 500 == 499)
                bed.Poll();
        }
        bed.Poll();
    }

    private static int Passing(WorkerBed bed)
    {
        FlowTable<SessionKey, SessionState> table = bed.Context.Flows!.Table;
        return Enumerable.Range(0, table.EndIndex).Count(index => table.IsUsed(index) && (table.State(index)->Flags & SessionFlags.Denied) == 0);
    }
}
