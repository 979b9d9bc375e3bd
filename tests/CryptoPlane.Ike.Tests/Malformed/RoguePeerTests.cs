using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Tests.Session;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Malformed;

/// <summary>
/// Authentic messages that make no sense, before and after authentication: nothing throws, the answer is always well-formed, what is held
/// stays bounded, and in the end everything is given back.
/// </summary>
public sealed class RoguePeerTests : IDisposable
{
    private const int Cases = 1_000;
    private static readonly TestConnections.Settings s_settings = new() { Proposals = [RoguePeer.Suite] };

    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly TestPeer _victim = new("victim", 1, options => new()
    {
        ChildSpis = options.ChildSpis,
        Connections = options.Connections,
        Randomness = options.Randomness,
        MaxHalfOpen = 10_000,
        MaxChildSas = 16,
    }, TestConnections.Responder(s_settings));
    private readonly Random _random = new(7);
    private long _now = 1_000;
    private uint _address = 0x0A000000;

    public void Dispose()
    {
        _victim.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void A_spoilt_IKE_AUTH_is_refused_or_understood_and_leaves_nothing_behind()
    {
        ChainMutator mutator = new(seed: 35);
        int answered = 0;
        for (int i = 0; i < Cases; i++)
        {
            using RoguePeer rogue = Begin();
            if (rogue.Say(ExchangeType.IkeAuth, mutator.Mutate(rogue.GoodAuth(s_settings)), _now) is not null)
                answered++;
        }
        // Some are still good, and every one is answered: what is authentic and malformed has an answer (RFC 7296 §2.21.2).
        Assert.InRange(_victim.Events.OfType<IkeSaEstablished>().Count(), 1, Cases / 2);
        Assert.Equal(Cases, answered);
        AssertEverythingIsGivenBack();
    }

    [Fact]
    public void Spoilt_requests_of_a_peer_that_has_authenticated_stay_within_its_bounds()
    {
        (ExchangeType Type, (PayloadType First, byte[] Chain) Content)[] good =
        [
            (ExchangeType.CreateChildSa, RoguePeer.Chain(RoguePeer.GoodChild(s_settings, 0x2000, isAuthExchange: false))),
            (ExchangeType.CreateChildSa, RoguePeer.Chain(
                [NotifyPayload.ForEsp(NotifyType.RekeySa, 0x1000), .. RoguePeer.GoodChild(s_settings, 0x3000, isAuthExchange: false)])),
            (ExchangeType.CreateChildSa, RoguePeer.Chain(
                [
                    IkeProposals.Offer([RoguePeer.Suite], new byte[8]), new NoncePayload(new byte[32]),
                    new KeyExchangePayload((ushort)RoguePeer.Suite.KeyExchange, [.. Enumerable.Range(1, 32).Select(i => (byte)i)]),
                ])),
            (ExchangeType.Informational, RoguePeer.Chain([new DeletePayload(SecurityProtocol.Esp, [0x1000, 0x2000])])),
            (ExchangeType.Informational, RoguePeer.Chain(
                [
                    new NotifyPayload(NotifyType.UpdateSaAddresses), new NotifyPayload(NotifyType.NatDetectionSourceIp, new byte[20]),
                    new NotifyPayload(NotifyType.NatDetectionDestinationIp, new byte[20]), new NotifyPayload(NotifyType.Cookie2, new byte[16]),
                ])),
            (ExchangeType.Informational, RoguePeer.Chain(
                [new ConfigurationPayload(ConfigurationType.Request, [new(ConfigurationAttributeType.InternalIp4Address, [])])])),
            (ExchangeType.Informational, SampleChains.Everything),
            (ExchangeType.IkeAuth, SampleChains.Everything),
            ((ExchangeType)200, SampleChains.Everything),
        ];
        ChainMutator mutator = new(seed: 36);
        RoguePeer? rogue = null;
        int sessions = 0;
        for (int i = 0; i < Cases; i++)
        {
            if (rogue is null)
            {
                rogue = Begin();
                sessions++;
                Assert.NotNull(rogue.Say(ExchangeType.IkeAuth, rogue.GoodAuth(s_settings), _now)!.Authentication);
            }
            (ExchangeType type, (PayloadType First, byte[] Chain) content) = good[i % good.Length];
            IkePayloads? answer = rogue.Say(type, mutator.Mutate(content), _now);
            Assert.All(_victim.Endpoint.Report(), report => Assert.InRange(report.Children.Count, 0, 16));
            // Within an IKE SA every request is answered (RFC 7296 §2.21.3), if only to end it.
            Assert.True(answer is not null, $"case {i}: no answer");
            if (!rogue.IsEstablished || i % 50 == 49)
            {
                rogue.Dispose();
                rogue = null;
            }
            Advance(50);
        }
        rogue?.Dispose();
        Assert.InRange(sessions, Cases / 50, Cases);
        AssertEverythingIsGivenBack();
    }

    /// <summary>RFC 7296 §3.10.1, §2.21.3: what has no error number of its own is INVALID_SYNTAX, which is fatal to both sides.</summary>
    [Theory]
    [InlineData(200)]
    [InlineData((byte)ExchangeType.IkeAuth)]
    [InlineData((byte)ExchangeType.IkeIntermediate)]
    public void A_request_of_an_exchange_that_there_is_not_is_answered_and_ends_the_IKE_SA(byte type)
    {
        using RoguePeer rogue = Begin();
        Assert.NotNull(rogue.Say(ExchangeType.IkeAuth, rogue.GoodAuth(s_settings), _now)!.Authentication);
        IkePayloads? answer = rogue.Say((ExchangeType)type, RoguePeer.Chain([]), _now);
        Assert.NotNull(answer?.Find(NotifyType.InvalidSyntax));
        Assert.False(rogue.IsEstablished);
        Assert.Equal(IkeCloseReason.ProtocolError, _victim.Single<IkeSaClosed>().Reason);
        AssertEverythingIsGivenBack();
    }

    private RoguePeer Begin()
    {
        Advance(50);
        IPAddress address = new([(byte)(++_address >> 24), (byte)(_address >> 16), (byte)(_address >> 8), (byte)_address]);
        return new RoguePeer(_victim, _engine, address, _random, _now);
    }

    private void Advance(long milliseconds) => _victim.Advance(ref _now, milliseconds);

    private void AssertEverythingIsGivenBack() => _victim.AssertGivesEverythingBack("c", ref _now);
}
