using CryptoPlane.Flows.Sessions;
using Xunit;

namespace CryptoPlane.Tests.Flows.Sessions;

/// <summary>Records on their way to the exporter, and what is known of those that did not get there.</summary>
public sealed class FlowRecordRingTests
{
    [Fact]
    public void Records_come_out_in_their_order_and_what_does_not_fit_is_counted()
    {
        using var ring = new FlowRecordRing(lcore: 2, capacity: 4);
        for (uint i = 1; i <= 6; i++)
            Assert.Equal(i <= 4, ring.TryEnqueue(Record(i), 100 + i));
        FlowLosses losses = ring.Losses;
        Assert.Equal((2L, 11L + 22, 1100L + 2200), (losses.Records, losses.Packets, losses.Octets));
        Assert.Equal((105L, 106L), (losses.First, losses.Last));
        Assert.Equal((0L, 0L, 0L, 0L), (losses.IgnoredPackets, losses.IgnoredOctets, losses.FirstIgnored, losses.LastIgnored));
        var records = new FlowRecord[8];
        Assert.Equal(4, ring.Dequeue(records));
        Assert.Equal([1u, 2, 3, 4], records[..4].Select(record => record.RuleId));
        Assert.Equal((2, 4, 0), (ring.Lcore, ring.Capacity, ring.Count));
    }

    [Fact]
    public void Records_that_a_session_has_begun_leave_half_of_the_ring_to_counts()
    {
        using var ring = new FlowRecordRing(0, 8);
        for (uint i = 0; i < 8; i++)
            Assert.Equal(i < 4, ring.TryEnqueue(new FlowRecord { Event = FlowEvent.Created }, 1));
        for (uint i = 0; i < 8; i++)
            Assert.Equal(i < 4, ring.TryEnqueue(default, 2));
        Assert.Equal(8, ring.Losses.Records);
        Assert.True(ring.TryDequeue(out FlowRecord first));
        Assert.Equal(FlowEvent.Created, first.Event);
    }

    [Fact]
    public void Packets_without_a_session_are_counted_with_their_times()
    {
        using var ring = new FlowRecordRing(0, 2);
        ring.Ignore(40, 7);
        ring.Ignore(1500, 9);
        FlowLosses losses = ring.Losses;
        Assert.Equal((2L, 1540L, 7L, 9L, 0L), (losses.IgnoredPackets, losses.IgnoredOctets, losses.FirstIgnored, losses.LastIgnored, losses.Records));
    }

    /// <summary>Records tell of 1 and 10 packets, 100 and 1000 bytes; from the sixth on of twice as many.</summary>
    private static FlowRecord Record(uint number) => new()
    {
        RuleId = number,
        Forward = new FlowTraffic { Packets = number > 5 ? 2UL : 1, Octets = number > 5 ? 200UL : 100 },
        Reverse = new FlowTraffic { Packets = number > 5 ? 20UL : 10, Octets = number > 5 ? 2000UL : 1000 },
    };
}
