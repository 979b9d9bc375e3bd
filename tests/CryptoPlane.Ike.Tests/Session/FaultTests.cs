using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Session.TestConnections;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>Datagrams that are lost, doubled or late: the exchanges come to the same end, only later.</summary>
public class FaultTests
{
    /// <summary>After how many milliseconds a child SA expires where rekeys are hurried.</summary>
    private const int SaLifetime = 60_000;

    /// <summary>Everything once: 20 datagrams where none is lost, and more where further key exchanges follow.</summary>
    private static void Play(TestNetwork network)
    {
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(20_000);
        network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(20_000);
        network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(20_000);
        network.Initiator.Endpoint.Rekey("c", ikeSa: true, network.Now);
        network.Run(20_000);
        network.Responder.Endpoint.Rekey("c", ikeSa: true, network.Now);
        network.Run(20_000);
    }

    // IKE_INTERMEDIATE fits a packet, IKE_FOLLOWUP_KE of ML-KEM takes two for the request.
    [Theory]
    [InlineData(false, 4 + (4 * 4))]
    [InlineData(true, 6 + (4 * 7))]
    public void Each_datagram_may_be_lost_once_or_twice_or_come_twice_or_late(bool hybrid, int count)
    {
        Settings settings = hybrid ? Hybrids : new();
        using (TestNetwork network = Network(settings))
        {
            Play(network);
            Assert.Equal(count, network.Sent.Count);
        }
        for (int which = 0; which < count; which++)
        {
            foreach (Func<int, long[]> fault in (Func<int, long[]>[])
            [
                copy => copy == 0 ? [] : [TestNetwork.Delay],
                copy => copy <= 1 ? [] : [TestNetwork.Delay],
                _ => [TestNetwork.Delay, TestNetwork.Delay + 1, TestNetwork.Delay + 700],
                copy => copy == 0 ? [5_000] : [TestNetwork.Delay],
            ])
            {
                using TestNetwork network = Network(settings);
                int copies = 0;
                byte[]? victim = null;
                network.Fate = sent =>
                {
                    if (sent.Number == which)
                        victim = sent.Message.ToArray();
                    return victim is not null && sent.Message.Span.SequenceEqual(victim) ? fault(copies++) : [TestNetwork.Delay];
                };
                Play(network);
                network.AssertChildrenAgree();
                Assert.Single(network.Initiator.Installed);
                Assert.Single(network.Initiator.IkeSas);
                Assert.Single(network.Responder.IkeSas);
                Assert.Equal(3, network.Initiator.Events.OfType<ChildSaInstalled>().Count());
                Assert.Equal(3, network.Responder.Events.OfType<IkeSaEstablished>().Count());
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_repeated_request_is_answered_by_the_same_bytes(bool hybrid)
    {
        using TestNetwork network = Network(hybrid ? Hybrids : new());
        HashSet<string> lost = [];
        // The first copy of every response is lost.
        network.Fate = sent => sent.Header.IsResponse && lost.Add(Convert.ToHexString(sent.Message.Span)) ? [] : [TestNetwork.Delay];
        Play(network);
        network.AssertChildrenAgree();
        foreach (IGrouping<(ulong, ulong, uint, TestPeer), TestDatagram> copies in network.Sent.Where(sent => sent.Header.IsResponse)
            .GroupBy(sent => (sent.Header.InitiatorSpi, sent.Header.ResponderSpi, sent.Header.MessageId, sent.Sender)))
        {
            Assert.Equal(2, copies.Count());
            Assert.Single(copies.Select(copy => Convert.ToHexString(copy.Message.Span)).Distinct());
        }
    }

    /// <summary>Who wants further key exchanges (<see cref="Further"/>), and where chance begins.</summary>
    public static TheoryData<string, int> Seeds
    {
        get
        {
            TheoryData<string, int> data = [];
            foreach (string further in (string[])["none", "both", "one"])
            {
                for (int seed = 1; seed <= 20; seed++)
                    data.Add(further, seed);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Under_loss_repetition_and_reordering_no_packet_is_without_its_SA(string further, int seed)
    {
        (Settings ours, Settings theirs) = Further(further);
        Settings Hurried(Settings settings) => settings with
        {
            ChildLifetime = new IkeLifetime(4_000, SaLifetime, 2_000),
            IkeLifetime = new IkeLifetime(11_000, 2 * SaLifetime, 6_000),
            DeadPeerDelay = 3_000,
        };
        // With so many tries nobody gives up, so that whatever ends otherwise than by a rekey is a fault.
        using TestNetwork network = Network(Hurried(ours), Hurried(theirs), seed: seed, options: options => new()
        {
            ChildSpis = options.ChildSpis,
            Connections = options.Connections,
            Randomness = options.Randomness,
            RetransmitTries = 30,
            RetransmitFactor = 1.1,
        }).Establish();
        Random random = new(seed);
        network.Fate = _ => random.Next(100) switch
        {
            < 20 => [],
            < 30 => [random.Next(5, 400), random.Next(5, 400)],
            _ => [random.Next(5, 400)],
        };
        network.StartTraffic(25);
        network.Run(120_000);
        network.Fate = null;
        network.Run(20_000);
        Assert.True(network.LongestExchange < SaLifetime / 2, "This seed keeps an exchange waiting until an SA may rightly expire: it shows nothing.");
        network.AssertChildrenAgreeSoon();
        Assert.Single(network.Initiator.IkeSas);
        Assert.Single(network.Responder.IkeSas);
        Assert.DoesNotContain(network.Initiator.Events.OfType<IkeSaClosed>(), closed => closed.Reason != IkeCloseReason.Rekeyed);
        Assert.DoesNotContain(network.Responder.Events.OfType<IkeSaClosed>(), closed => closed.Reason != IkeCloseReason.Rekeyed);
        Assert.Empty(network.Initiator.Events.OfType<InitiationFailed>());
        Assert.Empty(network.Responder.Events.OfType<InitiationFailed>());
        Assert.Equal(0, network.PacketsLost);
        Assert.True(network.PacketsReceived > 9_000);
    }

    [Theory]
    [InlineData(0, 200_000)]
    [InlineData(4_000, 10_000)]
    public void A_peer_that_is_gone_is_found_out_and_a_connection_that_shall_be_up_comes_back(long timeout, long time)
    {
        using TestNetwork network = Network(new() { Start = IkeStartAction.Start, DeadPeerDelay = 5_000, DeadPeerTimeout = timeout });
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.Single(network.Initiator.IkeSas);
        network.Fate = _ => [];
        network.Run(time);
        Assert.Equal(IkeCloseReason.PeerDead, network.Initiator.Single<IkeSaClosed>().Reason);
        Assert.Equal(IkeCloseReason.PeerDead, network.Responder.Single<IkeSaClosed>().Reason);
        Assert.Empty(network.Initiator.Installed);
        network.Fate = null;
        network.Run(200_000);
        network.AssertChildrenAgree();
        Assert.Single(network.Initiator.Installed);
        Assert.Single(network.Responder.IkeSas);
    }

    [Fact]
    public void Traffic_is_proof_of_life_and_saves_the_question()
    {
        using TestNetwork network = Network(new() { DeadPeerDelay = 5_000 }).Establish();
        network.StartTraffic(1_000);
        int before = network.Sent.Count;
        network.Run(60_000);
        Assert.Equal(before, network.Sent.Count);
        network.StartTraffic(0);
        network.Run(12_000);
        Assert.Contains(network.Sent.Skip(before), sent => sent.Header is { Exchange: ExchangeType.Informational, IsResponse: false });
        Assert.Single(network.Initiator.IkeSas);
    }

    [Fact]
    public void Terminating_deletes_everything_on_both_sides()
    {
        using TestNetwork network = Network().Establish();
        network.Responder.Endpoint.Terminate("c", network.Now);
        network.Collect();
        Assert.Empty(network.Responder.Installed);
        network.Run(1_000);
        Assert.Equal(IkeCloseReason.Terminated, network.Responder.Single<IkeSaClosed>().Reason);
        Assert.Equal(IkeCloseReason.DeletedByPeer, network.Initiator.Single<IkeSaClosed>().Reason);
        network.AssertChildrenAgree();
        network.Run(60_000);
        Assert.Empty(network.Initiator.Endpoint.Report());
        Assert.Equal(long.MaxValue, network.Initiator.Endpoint.NextTimeout);
        Assert.Equal(long.MaxValue, network.Responder.Endpoint.NextTimeout);
    }

    [Fact]
    public void Both_sides_may_delete_at_once()
    {
        using TestNetwork network = Network().Establish();
        network.Responder.Endpoint.HandleLifetime(network.Responder.Outbound()!.Id, hard: true, network.Now);
        network.Initiator.Endpoint.HandleLifetime(network.Initiator.Outbound()!.Id, hard: true, network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        network.Responder.Endpoint.Terminate("c", network.Now);
        network.Initiator.Endpoint.Terminate("c", network.Now);
        network.Run(60_000);
        Assert.Empty(network.Initiator.IkeSas);
        Assert.Empty(network.Responder.IkeSas);
        Assert.Equal(long.MaxValue, network.Initiator.Endpoint.NextTimeout);
    }

    [Fact]
    public void A_peer_that_was_restarted_replaces_what_it_has_forgotten()
    {
        using TestNetwork network = Network().Establish();
        using TestPeer restarted = new("restarted", 99, null, Initiator());
        using TestNetwork again = network.With(restarted);
        again.Establish();
        Assert.Equal(IkeCloseReason.PeerRestarted, again.Responder.Single<IkeSaClosed>().Reason);
    }

    [Fact]
    public void A_flood_of_requests_is_answered_by_cookies_and_the_peer_comes_through()
    {
        using TestNetwork network = Network(options: options => new IkeEndpointOptions
        {
            ChildSpis = options.ChildSpis,
            Connections = options.Connections,
            Randomness = options.Randomness,
            MaxHalfOpen = 200,
        });
        using TestPeer stranger = new("stranger", 5, null, Initiator());
        stranger.Endpoint.Initiate("c", network.Now);
        Assert.True(stranger.Endpoint.TryPollTransmit(out IkeDatagram? request));
        byte[] message = request.Payload.ToArray();
        for (int i = 0; i < 2_000; i++)
        {
            message[i % 8] ^= (byte)(i + 1);
            System.Net.IPAddress source = new([10, 9, (byte)(i >> 8), (byte)i]);
            network.Responder.Endpoint.HandleDatagram(new(ResponderAddress, 500), new(source, 500), message, network.Now);
        }
        Assert.True(network.Responder.Endpoint.Report().Count <= 200);
        network.Collect();
        network.Establish();
        // IKE_SA_INIT twice, since a cookie was asked for, and IKE_AUTH.
        Assert.Equal(3, network.Sent.Count(sent => sent.Sender == network.Initiator));
        network.Run(60_000);
        Assert.Single(network.Responder.Endpoint.Report());
    }
}
