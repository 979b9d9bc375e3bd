using System.Net;
using CryptoPlane.Ike.Tests.Session;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Malformed;

/// <summary>Whoever records a session and plays it again, whole or spoilt, changes nothing.</summary>
public sealed class ReplayTests
{
    [Fact]
    public void Every_message_of_a_session_played_again_changes_nothing()
    {
        using TestNetwork network = RecordSession();
        TestDatagram[] recorded = [.. network.Sent];
        int installed = network.Initiator.Events.Count + network.Responder.Events.Count;
        Random random = new(1);
        for (int round = 0; round < 20; round++)
        {
            random.Shuffle(recorded);
            foreach (TestDatagram datagram in recorded)
                Deliver(network, datagram, datagram.Message.Span);
            network.Run(100);
        }
        Assert.Equal(installed, network.Initiator.Events.Count + network.Responder.Events.Count);
        AssertUntouched(network);

        // The first request of all begins an IKE SA that nobody goes on with (RFC 7296 §2.1); it expires.
        network.Run(60_000);
        Assert.Single(network.Responder.Endpoint.Report());
    }

    [Fact]
    public void Every_message_of_a_session_spoilt_at_every_byte_changes_nothing()
    {
        using TestNetwork network = RecordSession();
        TestDatagram[] recorded = [.. network.Sent.Where(sent => sent.Header.Exchange != ExchangeType.IkeSaInit)];
        int events = network.Initiator.Events.Count + network.Responder.Events.Count;
        foreach (TestDatagram datagram in recorded)
        {
            byte[] message = datagram.Message.ToArray();
            for (int at = 0; at < message.Length; at++)
            {
                message[at] ^= 0x10;
                Deliver(network, datagram, message);
                message[at] ^= 0x10;
                Deliver(network, datagram, message.AsSpan(0, at));
            }
        }
        network.Run(1_000);
        Assert.Equal(events, network.Initiator.Events.Count + network.Responder.Events.Count);
        AssertUntouched(network);
    }

    /// <summary>
    /// An exchange of each kind: both first ones, in fragments, a child SA's rekey, liveness, the IKE SA's rekey with its deletion.
    /// </summary>
    private static TestNetwork RecordSession()
    {
        TestNetwork network = TestConnections.Network(
            new() { FragmentSize = 576, InitiatorId = new string('a', 900), RemoteId = "%any", DeadPeerDelay = 2_000 });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(5_000);
        network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(5_000);
        network.Initiator.Endpoint.Rekey("c", ikeSa: true, network.Now);
        network.Run(30_000);
        network.AssertChildrenAgree();
        ExchangeType[] exchanges = [.. network.Sent.Select(sent => sent.Header.Exchange).Distinct().Order()];
        Assert.Equal([ExchangeType.IkeSaInit, ExchangeType.IkeAuth, ExchangeType.CreateChildSa, ExchangeType.Informational], exchanges);
        Assert.Contains(network.Sent, sent => sent.Header.NextPayload == PayloadType.EncryptedFragment);
        return network;
    }

    private static void Deliver(TestNetwork network, TestDatagram datagram, ReadOnlySpan<byte> message)
    {
        TestPeer receiver = datagram.Sender == network.Initiator ? network.Responder : network.Initiator;
        receiver.Endpoint.HandleDatagram(datagram.Datagram.Remote, datagram.Datagram.Local, message, network.Now);
    }

    private static void AssertUntouched(TestNetwork network)
    {
        network.AssertChildrenAgree();
        Assert.Equal((1, 1), (network.Initiator.IkeSas.Count, network.Responder.IkeSas.Count));
        network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(5_000);
        network.AssertChildrenAgree();
        Assert.Single(network.Initiator.Installed);
    }
}
