using CryptoPlane.Ipfix.Names;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Names;

/// <summary>Names: their encoding, and how long they are remembered.</summary>
public class FlowNameTests
{
    [Fact]
    public void A_name_is_cut_between_two_characters()
    {
        var name = new FlowName(new string('x', 254) + "ü", "😀");
        Assert.Equal(254, name.Name.Length);
        Assert.Equal(4, name.User.Length);
        Assert.Equal(255, new FlowName(new string('x', 300), "").Name.Length);
    }

    [Fact]
    public void Half_a_character_becomes_the_replacement() => Assert.Equal("\uFFFD"u8, new FlowName("\ud83d", "").Name);

    [Fact]
    public void A_name_is_asked_for_again_after_a_while_and_kept_when_it_is_the_same()
    {
        var names = new SampleNames();
        var cache = new FlowNameCache(names);
        FlowName first = cache.Find(Tcp(), 0).Ingress!;
        Assert.Same(first, cache.Find(Tcp(), FlowNameCache.Lifetime - 1).Ingress);
        Assert.Equal(2, names.Questions); // Ingress and egress.
        Assert.Same(first, cache.Find(Tcp(), FlowNameCache.Lifetime).Ingress);
        Assert.Equal(4, names.Questions);

        names.User = "bob";
        Assert.Same(first, cache.Find(Tcp(), FlowNameCache.Lifetime + 1).Ingress);
        Assert.Equal("bob"u8, cache.Find(Tcp(), 2 * FlowNameCache.Lifetime).Ingress!.User);
    }

    [Fact]
    public void The_user_at_the_other_end_counts_when_the_initiator_is_none()
    {
        var names = new FlowRecordNames(new FlowName("dc2", ""), new FlowName("", "alice"), null, null, 64);
        Assert.Equal("alice"u8, names.User);
        Assert.True(default(FlowRecordNames).User.IsEmpty);
    }
}
