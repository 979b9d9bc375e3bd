using System.Net;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Session.TestConnections;

namespace CryptoPlane.Ike.Tests.Session;

public class EstablishTests
{
    [Fact]
    public void Two_peers_with_one_key_have_an_IKE_SA_and_a_child_SA_after_four_messages()
    {
        using TestNetwork network = Network();
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.Equal(4, network.Sent.Count);
        Assert.All(network.Sent, sent => Assert.Equal(500, sent.Datagram.Local.Port));
        IkeSaEstablished ours = network.Initiator.Single<IkeSaEstablished>(), theirs = network.Responder.Single<IkeSaEstablished>();
        Assert.Equal("responder.example", ours.RemoteId.ToString());
        Assert.Equal("initiator.example", theirs.RemoteId.ToString());
        ChildSaInstalled child = network.Initiator.Outbound()!;
        Assert.Equal(new EspSuite(EspCipher.Aes256Gcm16), child.Keys.Suite);
        Assert.False(child.UdpEncapsulation);
        Assert.Equal("10.1.0.0/16", Assert.Single(child.LocalSelectors).ToString());
        IkeSaReport report = Assert.Single(network.Initiator.Endpoint.Report());
        Assert.Equal(IkeSaState.Established, report.State);
        Assert.Equal(new IkeSuite(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.X25519), report.Suite);
        Assert.Equal(theirs.IkeSa, report.RemoteSpi);
        Assert.Equal(child.Id, Assert.Single(report.Children).Id);
    }

    [Fact]
    public void Another_key_is_refused_and_reported_and_leaves_nothing_behind()
    {
        using TestNetwork network = Network(new(), new() { Key = [.. "another key that differs"u8] });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(60_000);
        Assert.Contains("pre-shared key", network.Responder.Single<PeerRefused>().Reason, StringComparison.Ordinal);
        Assert.Contains("AuthenticationFailed", network.Initiator.Single<InitiationFailed>().Reason, StringComparison.Ordinal);
        Assert.Empty(network.Initiator.Endpoint.Report());
        Assert.Empty(network.Responder.Endpoint.Report());
        Assert.Equal(long.MaxValue, network.Responder.Endpoint.NextTimeout);
        network.AssertChildrenAgree();
    }

    [Fact]
    public void A_responder_who_is_somebody_else_is_told_so_and_not_believed()
    {
        using TestNetwork network = Network(new() { RemoteId = "*.example" }, new() { RemoteId = "%any", ResponderId = "impostor.elsewhere" });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(60_000);
        Assert.Contains("impostor.elsewhere", network.Initiator.Single<InitiationFailed>().Reason, StringComparison.Ordinal);
        Assert.Empty(network.Initiator.Events.OfType<IkeSaEstablished>());
        Assert.Equal(IkeCloseReason.DeletedByPeer, network.Responder.Single<IkeSaClosed>().Reason);
        network.AssertChildrenAgree();
        Assert.Empty(network.Responder.Installed);
    }

    [Fact]
    public void An_identity_that_no_connection_knows_is_refused()
    {
        using TestNetwork network = Network(new(), new() { RemoteId = "other.example" });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        PeerRefused refused = network.Responder.Single<PeerRefused>();
        Assert.Equal("initiator.example", refused.RemoteId!.ToString());
        Assert.Empty(network.Responder.IkeSas);
    }

    [Fact]
    public void A_wrong_guess_of_the_key_exchange_costs_one_round_more()
    {
        IkeSuite first = new(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.X25519);
        IkeSuite second = first with { KeyExchange = KeyExchangeMethod.P256 };
        using TestNetwork network = Network(new() { Proposals = [first, second] }, new() { Proposals = [second] });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.Equal(6, network.Sent.Count);
        Assert.Equal(second, Assert.Single(network.Initiator.Endpoint.Report()).Suite);
    }

    [Fact]
    public void Without_a_common_proposal_the_initiator_is_told()
    {
        IkeSuite suite = new(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.X25519);
        using TestNetwork network = Network(new() { Proposals = [suite] }, new() { Proposals = [suite with { Prf = PrfAlgorithm.HmacSha512 }] });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        Assert.Contains("NoProposalChosen", network.Initiator.Single<InitiationFailed>().Reason, StringComparison.Ordinal);
        Assert.Equal("no proposal is acceptable", network.Responder.Single<PeerRefused>().Reason);
    }

    [Fact]
    public void A_child_that_is_not_granted_leaves_the_IKE_SA_alone()
    {
        using TestNetwork network = Network(new(), new() { InitiatorNet = "10.9.0.0/16" });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        Assert.Single(network.Initiator.IkeSas);
        Assert.Single(network.Responder.IkeSas);
        InitiationFailed failed = network.Initiator.Single<InitiationFailed>();
        Assert.Equal("net", failed.Child);
        Assert.Equal("TsUnacceptable", failed.Reason);
        network.AssertChildrenAgree();
        Assert.Empty(network.Initiator.Installed);
    }

    [Fact]
    public void Selectors_are_narrowed_to_what_both_have()
    {
        using TestNetwork network = Network(new() { InitiatorNet = "10.0.0.0/8", ResponderNet = "0.0.0.0/0" }, new() { InitiatorNet = "10.1.0.0/16" });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        ChildSaInstalled child = network.Initiator.Outbound()!;
        Assert.Equal("10.1.0.0/16", Assert.Single(child.LocalSelectors).ToString());
        Assert.Equal("10.2.0.0/16", Assert.Single(child.RemoteSelectors).ToString());
    }

    [Fact]
    public void Forced_encapsulation_moves_both_sides_to_port_4500()
    {
        using TestNetwork network = Network(new() { ForceEncapsulation = true }, new());
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.True(network.Initiator.Outbound()!.UdpEncapsulation);
        Assert.True(network.Responder.Outbound()!.UdpEncapsulation);
        Assert.Equal(new IPEndPoint(InitiatorAddress, 4500), network.Responder.Outbound()!.Remote);
        Assert.All(network.Sent.Skip(2), sent => Assert.Equal(4500, sent.Datagram.Local.Port));
        // Behind a NAT, as it makes the peer believe, it sends keepalives.
        network.Run(30_000);
        Assert.Equal([0xFF], network.Sent[^1].Datagram.Payload.ToArray());
    }

    [Fact]
    public void A_responder_that_forces_encapsulation_gets_it()
    {
        using TestNetwork network = Network(new(), new() { ForceEncapsulation = true });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.True(network.Initiator.Outbound()!.UdpEncapsulation);
        Assert.True(network.Responder.Outbound()!.UdpEncapsulation);
    }

    [Fact]
    public void A_NAT_is_found_by_its_real_hashes_and_followed_when_it_forgets_its_mapping()
    {
        using TestNetwork network = Network(new() { Mobike = false });
        IPAddress outside = IPAddress.Parse("203.0.113.9");
        int mapping = 1024;
        network.TranslateSource = from => new IPEndPoint(outside, mapping + from.Port);
        network.TranslateDestination = to => new IPEndPoint(InitiatorAddress, to.Port - mapping);
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.True(network.Initiator.Outbound()!.UdpEncapsulation);
        Assert.Equal(new IPEndPoint(outside, 1024 + 4500), network.Responder.Outbound()!.Remote);

        mapping = 2048;
        network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        PeerMoved moved = network.Responder.Single<PeerMoved>();
        Assert.Equal(new IPEndPoint(outside, 2048 + 4500), moved.Remote);
        Assert.Equal(new IPEndPoint(outside, 2048 + 4500), network.Responder.Outbound()!.Remote);
    }

    [Fact]
    public void Transport_mode_is_agreed_on_or_there_is_no_child()
    {
        Settings transport = new() { Mode = IkeChildMode.Transport, InitiatorNet = "192.0.2.1", ResponderNet = "198.51.100.1" };
        using (TestNetwork network = Network(transport))
        {
            network.Initiator.Endpoint.Initiate("c", network.Now);
            network.Run(1_000);
            network.AssertChildrenAgree();
            Assert.Equal(IkeChildMode.Transport, network.Responder.Outbound()!.Mode);
        }
        using (TestNetwork network = Network(transport, transport with { Mode = IkeChildMode.Tunnel }))
        {
            network.Initiator.Endpoint.Initiate("c", network.Now);
            network.Run(1_000);
            network.AssertChildrenAgree();
            Assert.Empty(network.Initiator.Installed);
            Assert.Single(network.Initiator.IkeSas);
        }
    }

    [Fact]
    public void A_long_message_goes_in_fragments_where_both_take_them()
    {
        using TestNetwork network = Network(new() { FragmentSize = 576, InitiatorId = new string('a', 900), RemoteId = "%any" });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.Single(network.Initiator.IkeSas);
        List<TestDatagram> fragments = [.. network.Sent.Where(sent => sent.Header is { Exchange: ExchangeType.IkeAuth, IsResponse: false })];
        Assert.Equal(3, fragments.Count);
        Assert.All(fragments, fragment => Assert.True(fragment.Datagram.Payload.Length <= 576 - 28));
    }

    [Fact]
    public void What_is_no_message_changes_nothing()
    {
        using TestNetwork network = Network();
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        byte[] genuine = network.Sent[^2].Message.ToArray();
        Random random = new(7);
        for (int i = 0; i < 2_000; i++)
        {
            byte[] damaged = [.. genuine];
            damaged[random.Next(damaged.Length)] ^= (byte)random.Next(1, 256);
            if (random.Next(4) == 0)
                damaged = damaged[..random.Next(damaged.Length)];
            network.Responder.Endpoint.HandleDatagram(new IPEndPoint(ResponderAddress, 500), new IPEndPoint(InitiatorAddress, 500), damaged, network.Now);
        }
        int sent = network.Sent.Count;
        network.Collect();
        // What looks like a version to come is told ours, in the clear; nothing else has an answer.
        Assert.All(network.Sent.Skip(sent), refusal => Assert.Equal((PayloadType.Notify, 36), (refusal.Header.NextPayload, refusal.Message.Length)));
        network.AssertChildrenAgree();
        Assert.Single(network.Responder.IkeSas);
    }
}
