using static CryptoPlane.Ike.Tests.Session.TestConnections;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>Child SAs for single lcores: by RFC 9611 with a peer that speaks it, else by each lcore's share of the addresses.</summary>
public class ResourceTests
{
    private static readonly IReadOnlyList<IReadOnlyList<TrafficSelector>> s_shares =
        [[TrafficSelector.Parse("10.1.0.0/17")], [TrafficSelector.Parse("10.1.128.0/17")]];

    [Fact]
    public void With_a_peer_that_agrees_each_lcore_has_an_SA_for_the_same_traffic()
    {
        using TestNetwork network = Network(new() { Resources = 2 });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.Equal([null, 0, 1], network.Initiator.Installed.Values.Select(child => child.Resource).Order());
        Assert.Equal([null, 0, 1], network.Responder.Installed.Values.Select(child => child.Resource).Order());
        Assert.All(network.Initiator.Installed.Values, child => Assert.Equal("10.1.0.0/16", Assert.Single(child.LocalSelectors).ToString()));
        // The SPI tells the lcore, on both sides.
        foreach (ChildSaInstalled child in network.Initiator.Installed.Values.Concat(network.Responder.Installed.Values))
            Assert.Equal((uint)((child.Resource ?? -1) + 1), child.Id.InboundSpi >> 24);

        // What replaces an lcore's SA is that lcore's again.
        ChildSaId old = network.Initiator.Outbound(resource: 1)!.Id;
        network.Initiator.Endpoint.HandleLifetime(old, hard: false, network.Now);
        network.Responder.Endpoint.HandleLifetime(network.Responder.Outbound(resource: 0)!.Id, hard: false, network.Now);
        network.Run(10_000);
        network.AssertChildrenAgree();
        Assert.Equal(3, network.Initiator.Installed.Count);
        Assert.Equal(old, network.Initiator.Outbound(resource: 1)!.Replaces);
        Assert.Equal([null, 0, 1], network.Responder.Installed.Values.Select(child => child.Resource).Order());
    }

    [Fact]
    public void A_peer_with_fewer_lcores_says_when_it_has_enough()
    {
        using TestNetwork network = Network(new() { Resources = 4, Start = IkeStartAction.Start }, new() { Resources = 2 });
        network.Run(30_000);
        network.AssertChildrenAgree();
        Assert.Equal(3, network.Initiator.Installed.Count);
        Assert.Empty(network.Initiator.Events.OfType<InitiationFailed>());
    }

    [Fact]
    public void With_a_peer_that_does_not_agree_each_lcore_has_its_share_of_the_addresses()
    {
        using TestNetwork network = Network(new() { Resources = 2, ResourceSelectors = s_shares }, new());
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.Equal(3, network.Initiator.Installed.Count);
        Assert.Equal("10.1.0.0/17", Assert.Single(network.Initiator.Outbound(resource: 0)!.LocalSelectors).ToString());
        Assert.Equal("10.1.128.0/17", Assert.Single(network.Initiator.Outbound(resource: 1)!.LocalSelectors).ToString());
        Assert.Equal("10.1.0.0/16", Assert.Single(network.Initiator.Outbound()!.LocalSelectors).ToString());
        Assert.All(network.Responder.Installed.Values, child => Assert.Null(child.Resource));
    }

    [Fact]
    public void A_responder_knows_an_lcores_share_when_it_is_asked_for()
    {
        IReadOnlyList<IReadOnlyList<TrafficSelector>> shares = [[TrafficSelector.Parse("10.2.0.0/17")], [TrafficSelector.Parse("10.2.128.0/17")]];
        using TestNetwork network = Network(new() { ResponderNet = "10.2.128.0/17" }, new() { Resources = 2, ResourceSelectors = shares });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.Equal(1, Assert.Single(network.Responder.Installed.Values).Resource);
    }

    [Fact]
    public void Several_children_and_all_their_lcores_come_up_even_when_datagrams_are_lost()
    {
        using TestNetwork network = Network(new() { Resources = 2, Children = ["net", "other"], Start = IkeStartAction.Start });
        Random random = new(3);
        network.Fate = _ => random.Next(4) == 0 ? [] : [TestNetwork.Delay];
        network.Run(60_000);
        network.Fate = null;
        network.Run(30_000);
        network.AssertChildrenAgree();
        Assert.Equal(6, network.Initiator.Installed.Count);
    }
}
