using System.Net;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>A datagram on its way.</summary>
internal sealed record TestDatagram(int Number, TestPeer Sender, IkeDatagram Datagram)
{
    /// <summary>The IKE message, without a non-ESP marker; empty for a keepalive.</summary>
    public ReadOnlyMemory<byte> Message => Datagram.Local.Port == 4500 ? Datagram.Payload.Length > 4 ? Datagram.Payload[4..] : default : Datagram.Payload;

    public IkeHeader Header => IkeHeader.Parse(Message.Span, out IkeHeader header) == IkeParseError.None ? header : default;
}

/// <summary>Two peers, a clock that only the test moves, and a network that loses, repeats and reorders as the test says.</summary>
internal sealed class TestNetwork(TestPeer initiator, TestPeer responder) : IDisposable
{
    /// <summary>How long a datagram takes, in milliseconds.</summary>
    public const long Delay = 10;

    private readonly PriorityQueue<TestDatagram, (long At, int Number)> _onTheWay = new();
    private readonly PriorityQueue<(TestPeer Receiver, uint Spi), long> _packets = new();
    private readonly Dictionary<(TestPeer Asks, ulong Initiator, ulong Responder, uint Id), long> _asked = [];
    private int _sent;
    private long _nextPackets = long.MaxValue, _packetInterval;

    public TestPeer Initiator { get; } = initiator;

    public TestPeer Responder { get; } = responder;

    public long Now { get; private set; } = 1_000;

    /// <summary>Everything that was sent, in order.</summary>
    public List<TestDatagram> Sent { get; } = [];

    /// <summary>
    /// After how many milliseconds each copy of a datagram arrives; none: it is lost. Null: each arrives once, after <see cref="Delay"/>.
    /// </summary>
    public Func<TestDatagram, IEnumerable<long>>? Fate { get; set; }

    /// <summary>Who stands between, and changes messages.</summary>
    public Func<TestDatagram, ReadOnlyMemory<byte>>? Tamper { get; set; }

    /// <summary>What becomes of a datagram's source on the way: a NAT.</summary>
    public Func<IPEndPoint, IPEndPoint>? TranslateSource { get; set; }

    /// <summary>What becomes of a datagram's destination on the way back.</summary>
    public Func<IPEndPoint, IPEndPoint>? TranslateDestination { get; set; }

    /// <summary>Packets of ESP that came in, and how many of them the receiver had no SA for.</summary>
    public int PacketsReceived { get; private set; }

    public int PacketsLost { get; private set; }

    /// <summary>The longest time from a request to its first answer, in milliseconds.</summary>
    public long LongestExchange { get; private set; }

    /// <summary>Both sides send a packet every few milliseconds from now on; 0: they stop.</summary>
    public void StartTraffic(long interval)
    {
        _packetInterval = interval;
        _nextPackets = interval == 0 ? long.MaxValue : Now;
    }

    /// <summary>Brings the connection up.</summary>
    public TestNetwork Establish()
    {
        Initiator.Endpoint.Initiate("c", Now);
        Run(200);
        AssertChildrenAgree();
        Assert.Single(Initiator.IkeSas);
        Assert.Single(Responder.IkeSas);
        return this;
    }

    /// <summary>Takes events and datagrams of both.</summary>
    public void Collect()
    {
        foreach (TestPeer peer in (TestPeer[])[Initiator, Responder])
        {
            peer.TakeEvents();
            while (peer.Endpoint.TryPollTransmit(out IkeDatagram? datagram))
            {
                TestDatagram sent = new(_sent++, peer, datagram);
                Sent.Add(sent);
                if (!sent.Header.IsResponse)
                    _asked.TryAdd((peer, sent.Header.InitiatorSpi, sent.Header.ResponderSpi, sent.Header.MessageId), Now);
                foreach (long delay in Fate?.Invoke(sent) ?? [Delay])
                    _onTheWay.Enqueue(sent, (Now + delay, sent.Number));
            }
        }
    }

    /// <summary>Goes on for a time, in which everything happens that is due.</summary>
    public void Run(long milliseconds)
    {
        long end = Now + milliseconds;
        for (int steps = 0; ; steps++)
        {
            Assert.True(steps < 1_000_000, "the endpoints do not come to rest");
            Collect();
            long next = Math.Min(Initiator.Endpoint.NextTimeout, Responder.Endpoint.NextTimeout);
            if (_onTheWay.TryPeek(out _, out (long At, int Number) first))
                next = Math.Min(next, first.At);
            next = Math.Min(next, _nextPackets);
            if (_packets.TryPeek(out _, out long packetAt))
                next = Math.Min(next, packetAt);
            if (next > end)
                break;
            Now = Math.Max(Now, next);
            if (_onTheWay.TryPeek(out TestDatagram? due, out first) && first.At <= Now)
            {
                _onTheWay.Dequeue();
                Deliver(due);
            }
            CarryPackets();
            foreach (TestPeer peer in (TestPeer[])[Initiator, Responder])
            {
                if (peer.Endpoint.NextTimeout <= Now)
                    peer.Endpoint.HandleTimeout(Now);
            }
        }
        Now = end;
    }

    /// <summary>What both sides have made must fit: each child SA of one with that of the other, with the same keys.</summary>
    public void AssertChildrenAgree()
    {
        Collect();
        foreach (ChildSaInstalled ours in Initiator.Installed.Values)
        {
            ChildSaInstalled theirs = Assert.Single(Responder.Installed.Values, child => child.Id.InboundSpi == ours.OutboundSpi);
            Assert.Equal(ours.Id.InboundSpi, theirs.OutboundSpi);
            Assert.Equal(ours.OutboundEncryption.ToArray(), theirs.InboundEncryption.ToArray());
            Assert.Equal(ours.InboundEncryption.ToArray(), theirs.OutboundEncryption.ToArray());
            Assert.NotEqual(ours.InboundEncryption.ToArray(), ours.OutboundEncryption.ToArray());
            Assert.Equal(ours.Keys.Suite.Cipher, theirs.Keys.Suite.Cipher);
            Assert.Equal(ours.LocalSelectors, theirs.RemoteSelectors);
            Assert.Equal(ours.RemoteSelectors, theirs.LocalSelectors);
        }
        Assert.Equal(Initiator.Installed.Count, Responder.Installed.Count);
        Assert.Equal(Initiator.Installed.Keys.Order(), Initiator.Spis.Used.Order());
        Assert.Equal(Responder.Installed.Keys.Order(), Responder.Spis.Used.Order());
    }

    /// <summary>Whether no rekey is in the middle: there is one of each.</summary>
    private bool IsAtRest() => Initiator.Spis.Used.Count == 1 && Responder.Spis.Used.Count == 1 && Initiator.IkeSas.Count == 1 && Responder.IkeSas.Count == 1;

    /// <summary>As <see cref="AssertChildrenAgree"/>, as soon as no rekey is in the middle.</summary>
    public void AssertChildrenAgreeSoon()
    {
        for (int i = 0; i < 1_000 && !IsAtRest(); i++)
            Run(50);
        AssertChildrenAgree();
        Assert.Single(Initiator.Installed);
    }

    /// <summary>The same responder, and another initiator at the same address.</summary>
    public TestNetwork With(TestPeer initiator) => new(initiator, Responder) { Now = Now };

    public void Dispose()
    {
        Initiator.Dispose();
        Responder.Dispose();
    }

    /// <summary>ESP that is due arrives, and each side sends some on the child SA that it uses.</summary>
    private void CarryPackets()
    {
        while (_packets.TryPeek(out (TestPeer Receiver, uint Spi) packet, out long at) && at <= Now)
        {
            _packets.Dequeue();
            PacketsReceived++;
            if (packet.Receiver.Installed.ContainsKey(packet.Spi))
                packet.Receiver.Endpoint.HandleTraffic(new ChildSaId(packet.Spi), Now);
            else
                PacketsLost++;
        }
        if (Now < _nextPackets)
            return;
        _nextPackets = Now + _packetInterval;
        Collect();
        foreach ((TestPeer from, TestPeer to) in ((TestPeer, TestPeer)[])[(Initiator, Responder), (Responder, Initiator)])
        {
            if (from.Outbound() is { } child)
                _packets.Enqueue((to, child.OutboundSpi), Now + Delay);
        }
    }

    private void Deliver(TestDatagram sent)
    {
        if (sent.Message.IsEmpty)
            return;
        IPEndPoint from = sent.Datagram.Local, to = sent.Datagram.Remote;
        if (sent.Sender == Initiator)
            from = TranslateSource?.Invoke(from) ?? from;
        else
            to = TranslateDestination?.Invoke(to) ?? to;
        TestPeer receiver = sent.Sender == Initiator ? Responder : Initiator;
        if (sent.Header.IsResponse && _asked.Remove((receiver, sent.Header.InitiatorSpi, sent.Header.ResponderSpi, sent.Header.MessageId), out long asked))
            LongestExchange = Math.Max(LongestExchange, Now - asked);
        receiver.Endpoint.HandleDatagram(to, from, (Tamper?.Invoke(sent) ?? sent.Message).Span, Now);
    }
}
