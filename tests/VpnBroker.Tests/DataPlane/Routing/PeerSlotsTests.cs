using VpnBroker.DataPlane.Routing;

namespace VpnBroker.Tests.DataPlane.Routing;

/// <summary>The parts of flows that peers get: by weight to the nearest slot, and no more of them change hands than must.</summary>
public sealed class PeerSlotsTests
{
    [Theory]
    [InlineData(new double[] { 1, 1 }, new[] { 512, 512 })]
    [InlineData(new double[] { 3, 1 }, new[] { 768, 256 })]
    [InlineData(new double[] { 1, 1, 1 }, new[] { 342, 341, 341 })]
    [InlineData(new double[] { 5, 3, 2 }, new[] { 512, 307, 205 })]
    [InlineData(new double[] { 400, 400, 0.25 }, new[] { 512, 511, 1 })]
    public void Parts_are_those_of_the_weights(double[] weights, int[] parts) => Assert.Equal(parts, PeerSlots.Divide(weights, 1024));

    [Fact]
    public void Any_weights_divide_all_slots_and_leave_nobody_without()
    {
        var random = new Random(4);
        for (int round = 0; round < 2000; round++)
        {
            double[] weights = [.. Enumerable.Range(0, random.Next(1, PeerGroup.MaximumMembers + 1)).Select(_ => Math.Pow(400, random.NextDouble()) / 4)];
            int[] parts = PeerSlots.Divide(weights, PeerGroup.Slots);
            Assert.Equal(PeerGroup.Slots, parts.Sum());
            Assert.All(parts.Index(), part => Assert.InRange(part.Item, 1, (weights[part.Index] * PeerGroup.Slots / weights.Sum()) + 1));
        }
        Assert.Equal([1, 1], PeerSlots.Divide([100, 1], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => PeerSlots.Divide([1, 0], 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => PeerSlots.Divide([1, 1, 1], 2));
    }

    [Fact]
    public void Only_what_the_parts_demand_changes_hands()
    {
        var random = new Random(5);
        byte[] slots = [.. Enumerable.Repeat(PeerSlots.Nobody, PeerGroup.Slots)];
        int[] before = new int[4];
        for (int round = 0; round < 500; round++)
        {
            double[] weights = [.. Enumerable.Range(0, 4).Select(_ => random.NextDouble() + 0.1)];
            int[] parts = PeerSlots.Divide(weights, slots.Length);
            byte[] old = [.. slots];
            PeerSlots.Move(slots, parts);
            Assert.Equal(parts, Enumerable.Range(0, 4).Select(member => slots.Count(slot => slot == member)));
            int moved = slots.Zip(old).Count(pair => pair.First != pair.Second);
            Assert.Equal(round == 0 ? slots.Length : parts.Zip(before).Sum(pair => Math.Max(0, pair.First - pair.Second)), moved);
            before = parts;
        }
    }
}
