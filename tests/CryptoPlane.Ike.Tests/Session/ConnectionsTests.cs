using System.Net;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Session.TestConnections;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>Connections that come, go and change, and peers that move.</summary>
public class ConnectionsTests
{
    [Fact]
    public void What_is_configured_no_more_is_deleted_and_what_is_new_begins()
    {
        using TestNetwork network = Network().Establish();
        network.Initiator.Endpoint.SetConnections([Initiator(new() { Start = IkeStartAction.Start })], network.Now);
        network.Run(5_000);
        Assert.Equal(IkeCloseReason.Terminated, network.Initiator.Single<IkeSaClosed>().Reason);
        network.AssertChildrenAgree();
        Assert.Single(network.Initiator.Installed);
        network.Initiator.Endpoint.SetConnections([], network.Now);
        network.Run(60_000);
        network.AssertChildrenAgree();
        Assert.Empty(network.Initiator.Installed);
        Assert.Empty(network.Initiator.Endpoint.Report());
        Assert.Equal(long.MaxValue, network.Initiator.Endpoint.NextTimeout);
    }

    [Fact]
    public void The_same_connection_stays_as_it_is()
    {
        IkeConnection connection = Initiator();
        using TestPeer initiator = new("initiator", 1, null, connection);
        using TestNetwork network = Network().With(initiator).Establish();
        initiator.Endpoint.SetConnections([connection, Named("another")], network.Now);
        network.Run(1_000);
        Assert.Single(initiator.IkeSas);
        Assert.Empty(initiator.Events.OfType<IkeSaClosed>());
    }

    [Fact]
    public void A_peer_in_the_middle_of_authentication_does_not_get_a_connection_that_is_gone()
    {
        using TestNetwork network = Network();
        network.Initiator.Endpoint.Initiate("c", network.Now);
        // IKE_SA_INIT is answered, and IKE_AUTH on its way.
        network.Run(2 * TestNetwork.Delay);
        network.Responder.Endpoint.SetConnections([], network.Now);
        network.Run(1_000);
        Assert.Empty(network.Responder.Events.OfType<IkeSaEstablished>());
    }

    [Fact]
    public void Names_that_are_not_there_and_contradictions_change_nothing()
    {
        using TestNetwork network = Network().Establish();
        IkeEndpoint endpoint = network.Initiator.Endpoint;
        Assert.Throws<ArgumentException>(() => endpoint.Initiate("other", network.Now));
        Assert.Throws<ArgumentException>(() => endpoint.Terminate("other", network.Now));
        Assert.Throws<ArgumentException>(() => endpoint.Rekey("other", true, network.Now));
        Assert.Throws<ArgumentException>(() => endpoint.SetConnections([Named("x"), Named("x")], network.Now));
        Assert.Throws<ArgumentException>(() => network.Responder.Endpoint.Initiate("c", network.Now));
        network.Run(100);
        network.AssertChildrenAgree();
        Assert.Single(network.Initiator.IkeSas);
    }

    [Fact]
    public void Without_SPIs_there_is_an_IKE_SA_but_no_child_SA_and_later_there_is()
    {
        using TestNetwork network = Network(new() { Start = IkeStartAction.Start });
        network.Responder.Spis.IsEmpty = true;
        network.Run(1_000);
        Assert.Single(network.Initiator.IkeSas);
        Assert.Equal("NoAdditionalSas", network.Initiator.Events.OfType<InitiationFailed>().First().Reason);
        Assert.Empty(network.Responder.Installed);
        network.Responder.Spis.IsEmpty = false;
        network.Run(60_000);
        network.AssertChildrenAgree();
        Assert.Single(network.Initiator.Installed);
    }

    [Fact]
    public void Both_sides_may_begin_at_once()
    {
        Settings settings = new() { DeadPeerDelay = 2_000 };
        IkeConnection back = new()
        {
            Name = "c",
            LocalAddress = ResponderAddress,
            RemoteAddress = new IPNetwork(InitiatorAddress, 32),
            LocalId = IkeIdentity.Parse(settings.ResponderId),
            RemoteId = IkeIdentityPattern.Parse(settings.InitiatorId),
            LocalAuthentication = new IkePresharedKey(settings.Key),
            RemoteAuthentication = new IkePresharedKey(settings.Key),
            DeadPeerDelay = 2_000,
            Children = TestConnections.Responder(settings).Children,
        };
        using TestPeer responder = new("responder", 7, null, back);
        using TestNetwork network = new(new TestPeer("initiator", 6, null, Initiator(settings)), responder);
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Responder.Endpoint.Initiate("c", network.Now);
        // RFC 7296 §2.4: each says INITIAL_CONTACT before it knows of the other's; what one has forgotten the other finds dead.
        network.Run(200_000);
        network.AssertChildrenAgree();
        Assert.NotEmpty(network.Initiator.IkeSas);
        Assert.Equal(network.Initiator.IkeSas.Count, network.Responder.IkeSas.Count);
        Assert.NotEmpty(network.Initiator.Installed);
    }

    [Fact]
    public void A_peer_that_says_that_it_has_moved_is_followed()
    {
        // We have no initiator that moves: the initiator's IKE SA is driven by hand, within a pair of endpoints that have MOBIKE.
        using MobikeUser user = new();
        user.Establish();
        IPEndPoint elsewhere = new(IPAddress.Parse("203.0.113.77"), 4500);
        user.Move(elsewhere, update: false);
        Assert.Empty(user.Gateway.Events.OfType<PeerMoved>());
        IkePayloads answer = user.Move(elsewhere, update: true);
        PeerMoved moved = user.Gateway.Single<PeerMoved>();
        Assert.Equal(elsewhere, moved.Remote);
        Assert.Equal(user.Gateway.Outbound()!.Id, Assert.Single(moved.Children));
        Assert.False(moved.UdpEncapsulation);
        Assert.NotNull(answer.Find(NotifyType.NatDetectionSourceIp));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], answer.Find(NotifyType.Cookie2)!.Data);
        (IkePayloads request, Action<IIkePayload> respond) = user.TakeRequest(elsewhere);
        respond(request.Find(NotifyType.Cookie2)!);
        Assert.Equal(IkeSaState.Established, Assert.Single(user.Gateway.Endpoint.Report()).State);
        // Who says again where it is has shown that already.
        user.Move(elsewhere, update: true);
        Assert.False(user.Gateway.Endpoint.TryPollTransmit(out _));
    }

    /// <summary>RFC 4555 §3.7: who does not receive there cannot give the cookie back.</summary>
    [Fact]
    public void A_peer_that_is_not_where_it_says_to_be_is_given_up()
    {
        using MobikeUser guesser = new();
        guesser.Establish();
        IPEndPoint elsewhere = new(IPAddress.Parse("203.0.113.77"), 4500);
        guesser.Move(elsewhere, update: true);
        (IkePayloads request, Action<IIkePayload> respond) = guesser.TakeRequest(elsewhere);
        byte[] cookie = [.. request.Find(NotifyType.Cookie2)!.Data];
        Assert.InRange(cookie.Length, 8, 64);
        cookie[0] ^= 1;
        respond(new NotifyPayload(NotifyType.Cookie2, cookie));
        Assert.Equal(IkeCloseReason.ProtocolError, guesser.Gateway.Single<IkeSaClosed>().Reason);

        using MobikeUser silent = new();
        silent.Establish();
        silent.Move(elsewhere, update: true);
        for (long now = 1_000; silent.Gateway.IkeSas.Count != 0; now = silent.Gateway.Endpoint.NextTimeout)
        {
            Assert.True(now < 200_000, "the gateway never gives up");
            silent.Gateway.Endpoint.HandleTimeout(now);
            silent.Gateway.TakeEvents();
        }
        Assert.Equal(IkeCloseReason.PeerDead, silent.Gateway.Single<IkeSaClosed>().Reason);
    }

    private static IkeConnection Named(string name) => new()
    {
        Name = name,
        LocalId = IkeIdentity.Fqdn("a.example"),
        RemoteId = IkeIdentityPattern.Any,
        LocalAuthentication = new IkePresharedKey(new byte[32]),
        RemoteAuthentication = new IkePresharedKey(new byte[32]),
        Proposals = IkeSuite.Defaults,
        Children = TestConnections.Responder().Children,
    };
}
