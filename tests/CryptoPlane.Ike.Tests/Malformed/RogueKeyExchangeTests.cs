using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Tests.Session;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Malformed;

/// <summary>
/// A peer that does as it likes with the key exchanges after the first (RFC 9242, RFC 9370). What it says is authentic; it is refused, and nothing is
/// left of it.
/// </summary>
public sealed class RogueKeyExchangeTests : IDisposable
{
    private static readonly AdditionalKeyExchanges s_mlKem = new(KeyExchangeMethod.MlKem768);
    private static readonly EspSuite s_child = new(EspCipher.Aes256Gcm16, true, KeyExchangeMethod.X25519, s_mlKem);
    private static readonly TestConnections.Settings s_settings = new()
    {
        Proposals = [RoguePeer.Suite with { Additional = s_mlKem }, RoguePeer.Suite], EspProposals = [s_child, new(EspCipher.Aes256Gcm16)],
    };

    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly TestPeer _victim = new("victim", 1, options => new()
    {
        ChildSpis = options.ChildSpis, Connections = options.Connections, Randomness = options.Randomness, MaxHalfOpen = 10_000, MaxChildSas = 16,
    }, TestConnections.Responder(s_settings));
    private readonly Random _random = new(9);
    private long _now = 1_000;
    private uint _address = 0x0A000000;

    public void Dispose()
    {
        _victim.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void A_good_peer_that_computes_AUTH_by_itself_is_let_in()
    {
        using RoguePeer rogue = Begin(s_mlKem);
        rogue.Intermediate(KeyExchangeMethod.MlKem768, _now);
        Assert.NotNull(rogue.Say(ExchangeType.IkeAuth, rogue.GoodAuth(s_settings), _now)!.Authentication);
        Assert.True(rogue.IsEstablished);
        Assert.Equal(s_settings.Proposals![0], Assert.Single(_victim.Endpoint.Report()).Suite);
        AssertEverythingIsGivenBack();
    }

    [Fact]
    public void AUTH_that_does_not_cover_what_was_said_between_is_wrong()
    {
        using RoguePeer rogue = Begin(s_mlKem);
        rogue.Intermediate(KeyExchangeMethod.MlKem768, _now);
        Assert.NotNull(rogue.Say(ExchangeType.IkeAuth, rogue.GoodAuth(s_settings, withIntermediate: false), _now)!.Find(NotifyType.AuthenticationFailed));
        Assert.Contains("pre-shared key", _victim.Single<PeerRefused>().Reason, StringComparison.Ordinal);
        AssertEverythingIsGivenBack();
    }

    [Fact]
    public void Who_leaves_the_key_exchange_out_is_not_let_in()
    {
        using RoguePeer rogue = Begin(s_mlKem);
        IkePayloads answer = rogue.Say(ExchangeType.IkeAuth, rogue.GoodAuth(s_settings), _now)!;
        Assert.NotNull(answer.Find(NotifyType.InvalidSyntax));
        Assert.Contains("without the key exchanges", _victim.Single<PeerRefused>().Reason, StringComparison.Ordinal);
        AssertEverythingIsGivenBack();
    }

    [Fact]
    public void An_IKE_INTERMEDIATE_that_was_not_agreed_on_has_no_answer()
    {
        using RoguePeer rogue = Begin(default);
        Assert.Null(rogue.Say(ExchangeType.IkeIntermediate, RoguePeer.Chain([]), _now));
    }

    [Fact]
    public void Exchanges_without_a_key_exchange_are_answered_but_not_for_ever()
    {
        using RoguePeer rogue = Begin(s_mlKem);
        for (int i = 0; i < 15; i++)
            Assert.Empty(rogue.Say(ExchangeType.IkeIntermediate, RoguePeer.Chain([new VendorIdPayload([1])]), _now)!.Notifications);
        Assert.NotNull(rogue.Say(ExchangeType.IkeIntermediate, RoguePeer.Chain([]), _now)!.Find(NotifyType.InvalidSyntax));
        AssertEverythingIsGivenBack();
    }

    [Fact]
    public void AUTH_covers_exchanges_without_a_key_exchange_too()
    {
        using RoguePeer rogue = Begin(s_mlKem);
        Assert.NotNull(rogue.Say(ExchangeType.IkeIntermediate, RoguePeer.Chain([new VendorIdPayload([1, 2, 3])]), _now));
        rogue.Intermediate(KeyExchangeMethod.MlKem768, _now);
        Assert.NotNull(rogue.Say(ExchangeType.IkeIntermediate, RoguePeer.Chain([]), _now));
        Assert.NotNull(rogue.Say(ExchangeType.IkeAuth, rogue.GoodAuth(s_settings), _now)!.Authentication);
        AssertEverythingIsGivenBack();
    }

    [Fact]
    public void A_key_exchange_more_than_was_agreed_on_is_refused()
    {
        using RoguePeer rogue = Begin(s_mlKem);
        rogue.Intermediate(KeyExchangeMethod.MlKem768, _now);
        using IkeKeyExchange exchange = new(KeyExchangeMethod.MlKem768);
        Assert.NotNull(rogue.Say(ExchangeType.IkeIntermediate, RoguePeer.Chain([Payload(exchange)]), _now)!.Find(NotifyType.InvalidSyntax));
        AssertEverythingIsGivenBack();
    }

    /// <summary>Cut at every byte; of every wrong length and of other methods; beyond the modulus; and spoilt at random.</summary>
    [Fact]
    public void A_key_exchange_that_is_none_ends_the_IKE_SA()
    {
        using IkeKeyExchange exchange = new(KeyExchangeMethod.MlKem768);
        byte[] value = exchange.PublicValue.ToArray();
        (PayloadType first, byte[] chain) = RoguePeer.Chain([Payload(exchange)]);
        List<(PayloadType, byte[])> bad = [.. Enumerable.Range(0, chain.Length).Select(length => (first, chain[..length]))];
        foreach (int length in (int[])[1, 2, 31, 32, 1088, 1183, 1185, 1568, 4000])
            bad.Add(RoguePeer.Chain([new KeyExchangePayload(36, new byte[length])]));
        foreach (ushort method in (ushort[])[0, 19, 20, 31, 35, 37, 65535])
            bad.Add(RoguePeer.Chain([new KeyExchangePayload(method, value)]));
        bad.Add(RoguePeer.Chain([new KeyExchangePayload(36, [.. value[..1149], 0xFF, 0xFF, 0xFF, .. value[1152..]])]));
        bad.Add(RoguePeer.Chain([Payload(exchange), Payload(exchange)]));
        bad.Add(RoguePeer.Chain([new NotifyPayload(NotifyType.InvalidSyntax)]));
        foreach ((PayloadType First, byte[] Chain) content in bad)
        {
            using RoguePeer rogue = Begin(s_mlKem);
            Assert.NotNull(rogue.Say(ExchangeType.IkeIntermediate, content, _now)?.Find(NotifyType.InvalidSyntax));
        }
        ChainMutator mutator = new(seed: 9242);
        for (int i = 0; i < 300; i++)
        {
            using RoguePeer rogue = Begin(s_mlKem);
            Assert.NotNull(rogue.Say(ExchangeType.IkeIntermediate, Mutate(mutator, (first, chain)), _now));
        }
        Assert.Empty(_victim.IkeSas);
        AssertEverythingIsGivenBack();
    }

    [Fact]
    public void A_follow_up_needs_its_link_and_its_key_exchange()
    {
        using RoguePeer rogue = Establish();
        NotifyPayload link = BeginChild(rogue, 0x2000);
        using IkeKeyExchange exchange = new(KeyExchangeMethod.MlKem768);
        IIkePayload key = Payload(exchange);
        Assert.NotNull(FollowUp(rogue, key).Find(NotifyType.InvalidSyntax));
        Assert.NotNull(FollowUp(rogue, link).Find(NotifyType.InvalidSyntax));
        Assert.NotNull(FollowUp(rogue).Find(NotifyType.InvalidSyntax));
        foreach (byte[] wrong in (byte[][])[[], [1], link.Data[..^1], [.. link.Data, 0], [.. link.Data[..^1], (byte)(link.Data[^1] ^ 1)], new byte[1000]])
            Assert.NotNull(FollowUp(rogue, key, new NotifyPayload(NotifyType.AdditionalKeyExchange, wrong)).Find(NotifyType.StateNotFound));
        int before = _victim.Installed.Count;
        Assert.NotNull(FollowUp(rogue, key, link).KeyExchange);
        Assert.Equal(before + 1, _victim.Installed.Count);
        // It is done, and cannot be done again.
        Assert.NotNull(FollowUp(rogue, key, link).Find(NotifyType.StateNotFound));

        link = BeginChild(rogue, 0x3000);
        Assert.NotNull(FollowUp(rogue, new KeyExchangePayload(36, new byte[1183]), link).Find(NotifyType.InvalidSyntax));
        Assert.NotNull(FollowUp(rogue, key, link).Find(NotifyType.StateNotFound));
        link = BeginChild(rogue, 0x4000);
        Assert.NotNull(FollowUp(rogue, new KeyExchangePayload(31, new byte[1184]), link).Find(NotifyType.InvalidSyntax));
        Assert.NotNull(FollowUp(rogue, key, link).Find(NotifyType.StateNotFound));
        Assert.True(rogue.IsEstablished);
        AssertEverythingIsGivenBack();
    }

    [Fact]
    public void What_is_begun_and_not_gone_on_with_is_bounded_and_forgotten()
    {
        using RoguePeer rogue = Establish();
        int spis = _victim.Spis.Used.Count;
        for (uint i = 0; i < 8; i++)
            BeginChild(rogue, 0x2000 + i);
        Assert.NotNull(Create(rogue, 0x3000).Find(NotifyType.TemporaryFailure));
        Assert.Equal(spis + 8, _victim.Spis.Used.Count);
        Advance(61_000);
        Assert.Equal(spis, _victim.Spis.Used.Count);
        BeginChild(rogue, 0x4000);
        AssertEverythingIsGivenBack();
    }

    [Fact]
    public void Spoilt_follow_ups_are_answered_and_leave_nothing_behind()
    {
        ChainMutator mutator = new(seed: 9370);
        using IkeKeyExchange exchange = new(KeyExchangeMethod.MlKem768);
        RoguePeer rogue = Establish();
        for (uint i = 0; i < 300; i++)
        {
            if (!rogue.IsEstablished || i % 10 == 9)
            {
                rogue.Dispose();
                rogue = Establish();
            }
            NotifyPayload? link = Create(rogue, 0x2000 + i).Find(NotifyType.AdditionalKeyExchange);
            Assert.NotNull(rogue.Say(ExchangeType.IkeFollowupKe,
                Mutate(mutator, RoguePeer.Chain([Payload(exchange), link ?? new NotifyPayload(NotifyType.AdditionalKeyExchange)])), _now));
            Advance(50);
        }
        rogue.Dispose();
        AssertEverythingIsGivenBack();
    }

    /// <summary>A spoilt chain that fits a datagram: the mutator doubles payloads many times over.</summary>
    private static (PayloadType First, byte[] Chain) Mutate(ChainMutator mutator, (PayloadType First, byte[] Chain) good)
    {
        (PayloadType First, byte[] Chain) spoilt = mutator.Mutate(good);
        return spoilt.Chain.Length < 60_000 ? spoilt : (spoilt.First, spoilt.Chain[..60_000]);
    }

    private static KeyExchangePayload Payload(IkeKeyExchange exchange) => new((ushort)exchange.Method, exchange.PublicValue.ToArray());

    private RoguePeer Begin(AdditionalKeyExchanges further)
    {
        Advance(50);
        IPAddress address = new([(byte)(++_address >> 24), (byte)(_address >> 16), (byte)(_address >> 8), (byte)_address]);
        return new RoguePeer(_victim, _engine, address, _random, _now, further);
    }

    private RoguePeer Establish()
    {
        RoguePeer rogue = Begin(s_mlKem);
        rogue.Intermediate(KeyExchangeMethod.MlKem768, _now);
        Assert.NotNull(rogue.Say(ExchangeType.IkeAuth, rogue.GoodAuth(s_settings), _now)!.Authentication);
        return rogue;
    }

    /// <summary>CREATE_CHILD_SA for a further child SA with ML-KEM after X25519.</summary>
    private IkePayloads Create(RoguePeer rogue, uint spi)
    {
        using IkeKeyExchange exchange = new(KeyExchangeMethod.X25519);
        return rogue.Say(ExchangeType.CreateChildSa, RoguePeer.Chain(
        [
            EspProposals.Offer([s_child], [(byte)(spi >> 24), (byte)(spi >> 16), (byte)(spi >> 8), (byte)spi], isAuthExchange: false), new NoncePayload(new byte[32]),
            Payload(exchange),
            new TrafficSelectorsPayload(PayloadType.TrafficSelectorsInitiator, [TrafficSelector.Parse(s_settings.InitiatorNet)]),
            new TrafficSelectorsPayload(PayloadType.TrafficSelectorsResponder, [TrafficSelector.Parse(s_settings.ResponderNet)]),
        ]), _now)!;
    }

    private NotifyPayload BeginChild(RoguePeer rogue, uint spi)
    {
        NotifyPayload? link = Create(rogue, spi).Find(NotifyType.AdditionalKeyExchange);
        Assert.NotNull(link);
        return link;
    }

    private IkePayloads FollowUp(RoguePeer rogue, params IIkePayload[] payloads) => rogue.Say(ExchangeType.IkeFollowupKe, RoguePeer.Chain(payloads), _now)!;

    private void Advance(long milliseconds) => _victim.Advance(ref _now, milliseconds);

    private void AssertEverythingIsGivenBack() => _victim.AssertGivesEverythingBack("c", ref _now);
}
