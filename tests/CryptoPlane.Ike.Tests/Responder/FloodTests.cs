using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using CryptoPlane.Ike.Tests.Session;
using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Responder.InitRequests;

namespace CryptoPlane.Ike.Tests.Responder;

/// <summary>Strangers by the ten thousand: what is established stays, what is held stays small, and who is real still gets in.</summary>
public sealed class FloodTests
{
    private const int Addresses = 10_000;
    private const int MaxHalfOpen = 64;
    private const uint FirstAddress = 0x0A000000;

    private static readonly IPEndPoint s_port500 = new(TestConnections.ResponderAddress, 500);

    [Fact]
    public void Ten_thousand_addresses_that_are_invented_disturb_nobody()
    {
        using TestNetwork network = Establish();
        List<IkeDatagram> replies = Flood(network, seed => Make(seed));

        // Every one was answered, most by a cookie, which is shorter than the request: no amplification.
        Assert.Equal(Addresses, replies.Count);
        int opened = replies.Count(reply => HeaderOf(reply.Payload.ToArray()).ResponderSpi != 0);
        Assert.InRange(opened, 1, MaxHalfOpen);
        Assert.Equal(opened + 1, network.Responder.Endpoint.Report().Count);
        byte[] longest = Make(0);
        Assert.All(
            replies.Where(reply => HeaderOf(reply.Payload.ToArray()).ResponderSpi == 0),
            reply => Assert.InRange(reply.Payload.Length, 1, longest.Length));

        AssertAlive(network);
        network.Run(60_000);
        Assert.Single(network.Responder.Endpoint.Report());
        AssertAlive(network);
    }

    [Fact]
    public void Ten_thousand_addresses_that_answer_for_their_cookies_fill_no_more_than_the_table()
    {
        using TestNetwork network = Establish();
        foreach (IkeDatagram reply in Flood(network, seed => Make(seed)))
        {
            byte[] demand = reply.Payload.ToArray();
            if (HeaderOf(demand).ResponderSpi != 0)
                continue;
            int seed = (int)(AddressOf(reply.Remote) - FirstAddress);
            network.Responder.Endpoint.HandleDatagram(s_port500, reply.Remote, Make(seed, CookieOf(demand, Make(seed))), network.Now);
        }
        Assert.Equal(MaxHalfOpen + 1, network.Responder.Endpoint.Report().Count);
        AssertAlive(network);
        network.Run(60_000);
        Assert.Single(network.Responder.Endpoint.Report());
        AssertAlive(network);
    }

    [Fact]
    public void A_peer_that_begins_amid_the_flood_comes_in_by_a_cookie()
    {
        using TestNetwork network = TestConnections.Network(options: Limited);
        Flood(network, seed => Make(seed));
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(5_000);
        network.AssertChildrenAgree();
        Assert.Single(network.Initiator.IkeSas);
        TestDatagram demand = network.Sent.First(
            sent => sent.Sender == network.Responder && sent.Datagram.Remote.Address.Equals(TestConnections.InitiatorAddress));
        Assert.Equal((0ul, PayloadType.Notify), (demand.Header.ResponderSpi, demand.Header.NextPayload));
    }

    [Fact]
    [Trait("Process", "own")]
    public void Memory_does_not_grow_with_the_flood()
    {
        using TestNetwork network = Establish();
        FloodRounds(network, first: 0, rounds: 1);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        FloodRounds(network, first: 1, rounds: 5);
        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        // Fifty thousand requests of 200 bytes each would be ten million.
        Assert.InRange(grown, long.MinValue, 1_000_000);
        AssertAlive(network);
    }

    /// <summary>Half-finished exchanges: IKE_AUTH that never comes, or comes from somebody who has no keys.</summary>
    [Fact]
    public void Who_stops_after_the_first_exchange_is_forgotten()
    {
        using TestNetwork network = Establish();
        for (int i = 0; i < 8; i++)
            network.Responder.Endpoint.HandleDatagram(s_port500, Endpoint(FirstAddress + (uint)i), Make(i), network.Now);
        List<IkeHeader> answers = [.. Drain(network).Select(reply => HeaderOf(reply.Payload.ToArray()))];
        Assert.Equal(9, network.Responder.Endpoint.Report().Count);
        for (int i = 0; i < answers.Count; i++)
        {
            IkeHeader header = new(answers[i].InitiatorSpi, answers[i].ResponderSpi, ExchangeType.IkeAuth, IkeHeaderFlags.Initiator, 1);
            byte[] garbage = EncryptedPayload.CreateMessage(header, PayloadType.IdentificationInitiator, 200);
            byte[] fragment = EncryptedPayload.CreateFragment(header, PayloadType.IdentificationInitiator, 1, 100, 500);
            foreach (byte[] message in (byte[][])[garbage, fragment])
                network.Responder.Endpoint.HandleDatagram(s_port500, Endpoint(FirstAddress + (uint)i), message, network.Now);
        }
        Assert.Empty(Drain(network));
        network.Run(29_000);
        Assert.Equal(9, network.Responder.Endpoint.Report().Count);
        network.Run(2_000);
        Assert.Single(network.Responder.Endpoint.Report());
        AssertAlive(network);
    }

    [Fact]
    public void A_repeated_first_request_gets_the_same_bytes_and_makes_nothing()
    {
        using TestNetwork network = Establish();
        byte[] request = Make(1);
        for (int i = 0; i < 3; i++)
            network.Responder.Endpoint.HandleDatagram(s_port500, Endpoint(FirstAddress), request, network.Now);
        byte[][] answers = [.. Drain(network).Select(reply => reply.Payload.ToArray())];
        Assert.Equal(3, answers.Length);
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Equal(2, network.Responder.Endpoint.Report().Count);
    }

    [Fact]
    public void A_message_of_a_version_to_come_is_answered_and_changes_nothing()
    {
        using TestNetwork network = Establish();
        byte[] request = Make(1);
        request[17] = 0x30;
        for (int i = 0; i < 1_000; i++)
            network.Responder.Endpoint.HandleDatagram(s_port500, Endpoint(FirstAddress + (uint)i), request, network.Now);
        Assert.InRange(Drain(network).Count, 1, 20);
        Assert.Single(network.Responder.Endpoint.Report());
        AssertAlive(network);
    }

    private static IkeEndpointOptions Limited(IkeEndpointOptions options) =>
        new() { ChildSpis = options.ChildSpis, Connections = options.Connections, Randomness = options.Randomness, MaxHalfOpen = MaxHalfOpen };

    private static TestNetwork Establish()
    {
        TestNetwork network = TestConnections.Network(options: Limited);
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        Assert.Single(network.Responder.IkeSas);
        return network;
    }

    // On a frame of its own, so that no local of the measuring method holds on to the replies.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FloodRounds(TestNetwork network, int first, int rounds)
    {
        for (int round = first; round < first + rounds; round++)
            Flood(network, seed => Make((round * Addresses) + seed));
    }

    private static List<IkeDatagram> Flood(TestNetwork network, Func<int, byte[]> request)
    {
        for (int i = 0; i < Addresses; i++)
            network.Responder.Endpoint.HandleDatagram(s_port500, Endpoint(FirstAddress + (uint)i), request(i), network.Now);
        return Drain(network);
    }

    // What goes to strangers is not the network's to deliver.
    private static List<IkeDatagram> Drain(TestNetwork network)
    {
        List<IkeDatagram> replies = [];
        while (network.Responder.Endpoint.TryPollTransmit(out IkeDatagram? reply))
            replies.Add(reply);
        return replies;
    }

    private static uint AddressOf(IPEndPoint remote) =>
        BinaryPrimitives.ReadUInt32BigEndian(remote.Address.GetAddressBytes());

    /// <summary>The tunnel works in both directions: its child SA and its IKE SA can be replaced.</summary>
    private static void AssertAlive(TestNetwork network)
    {
        network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(5_000);
        network.Responder.Endpoint.Rekey("c", ikeSa: true, network.Now);
        network.Run(5_000);
        network.AssertChildrenAgree();
        Assert.Equal((1, 1), (network.Initiator.IkeSas.Count, network.Initiator.Installed.Count));
        Assert.Empty(network.Initiator.Events.OfType<InitiationFailed>());
    }
}
