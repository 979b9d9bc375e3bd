using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Tests.Session;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Malformed;

/// <summary>
/// An initiator that has keys, and may have the right to be there, and then says what it likes: the payloads of its messages are the test's,
/// and their ICVs are right.
/// </summary>
internal sealed class RoguePeer : IDisposable
{
    public static readonly IkeSuite Suite = new(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.X25519);

    private readonly TestPeer _victim;
    private readonly IPEndPoint _ours, _theirs = new(TestConnections.ResponderAddress, 500);
    private readonly AeadEngine _engine;
    private readonly byte[] _request, _ourNonce, _theirNonce;
    private readonly ulong _ourSpi, _theirSpi;
    private IkeKeys _keys;
    private SkProtection _protection;
    private byte[] _ofInitiator = [], _ofResponder = [];
    private uint _messageId = 1;

    /// <summary>Goes through IKE_SA_INIT.</summary>
    public RoguePeer(TestPeer victim, AeadEngine engine, IPAddress address, Random random, long now, AdditionalKeyExchanges further = default)
    {
        _victim = victim;
        _engine = engine;
        IkeSuite suite = Suite with { Additional = further };
        _ours = new IPEndPoint(address, 500);
        _ourSpi = (ulong)random.NextInt64(1, long.MaxValue);
        byte[] nonce = new byte[32];
        random.NextBytes(nonce);
        _ourNonce = nonce;
        using IkeKeyExchange exchange = new(Suite.KeyExchange);
        IkeWriter writer = new IkeWriter().Begin(new IkeHeader(_ourSpi, 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Initiator, 0))
            .Add(IkeProposals.Offer([suite], []))
            .Add(new KeyExchangePayload((ushort)Suite.KeyExchange, exchange.PublicValue.ToArray()))
            .Add(new NoncePayload(nonce));
        if (!further.IsEmpty)
            writer.Add(new NotifyPayload(NotifyType.IntermediateExchangeSupported));
        _request = writer.ToMessage();
        byte[] answer = Assert.Single(Exchange(_request, now));
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(answer, out IkeHeader header));
        Assert.True(IkePayloads.Parse(header.NextPayload, answer.AsSpan(IkeHeader.Size), out IkePayloads payloads).IsOk);
        _theirSpi = header.ResponderSpi;
        _theirNonce = payloads.Nonce!.Value;
        using SecretBytes secret = exchange.Finish(payloads.KeyExchange!.PublicValue)!;
        _keys = IkeKeys.Derive(suite, secret, nonce, _theirNonce, _ourSpi, _theirSpi);
        _protection = new SkProtection(engine, _keys, isInitiator: true);
    }

    /// <summary>Whether the other side still holds the IKE SA of this peer for a good one.</summary>
    public bool IsEstablished => _victim.Endpoint.Report().Any(sa => sa.IkeSa == _theirSpi && sa.State == IkeSaState.Established);

    /// <summary>A good IKE_INTERMEDIATE with a key exchange, after which the keys are others.</summary>
    public void Intermediate(KeyExchangeMethod method, long now)
    {
        using IkeKeyExchange exchange = new(method);
        IkePayloads? answer = Say(ExchangeType.IkeIntermediate, Chain([new KeyExchangePayload((ushort)method, exchange.PublicValue.ToArray())]), now);
        using SecretBytes secret = exchange.Finish(answer!.KeyExchange!.PublicValue)!;
        IkeKeys next = _keys.Advance(secret, _ourNonce, _theirNonce, _ourSpi, _theirSpi);
        Dispose();
        _keys = next;
        _protection = new SkProtection(_engine, _keys, isInitiator: true);
    }

    /// <summary>The payloads of a good IKE_AUTH request.</summary>
    /// <param name="settings">Who it is.</param>
    /// <param name="withIntermediate">Whether AUTH covers IKE_INTERMEDIATE too, where there was any.</param>
    public (PayloadType First, byte[] Chain) GoodAuth(TestConnections.Settings settings, bool withIntermediate = true)
    {
        IkeIdentity identity = IkeIdentity.Parse(settings.InitiatorId);
        IdentificationPayload id = IdentificationPayload.Create(PayloadType.IdentificationInitiator, (byte)identity.Type, identity.Data.Span);
        using SecretBytes key = new(settings.Key);
        // RFC 9242 §3.3.2: IntAuth_i | IntAuth_r | the message ID of this request.
        byte[] intAuth = withIntermediate && _messageId > 1 ? [.. _ofInitiator, .. _ofResponder, 0, 0, 0, (byte)_messageId] : [];
        byte[] auth = SharedKeyAuthentication.Compute(Suite.Prf, key, [.. SignedOctets.Create(Suite.Prf, _request, _theirNonce, _keys.SkPi, id.Body), .. intAuth]);
        return Chain([id, new AuthenticationPayload(AuthenticationMethod.SharedKey, auth), .. GoodChild(settings, 0x1000, isAuthExchange: true)]);
    }

    /// <summary>The offer of a child SA.</summary>
    public static IIkePayload[] GoodChild(TestConnections.Settings settings, uint spi, bool isAuthExchange) =>
    [
        EspProposals.Offer(EspSuite.Defaults, [(byte)(spi >> 24), (byte)(spi >> 16), (byte)(spi >> 8), (byte)spi], isAuthExchange),
        .. isAuthExchange ? (IIkePayload[])[] : [new NoncePayload(new byte[32])],
        new TrafficSelectorsPayload(PayloadType.TrafficSelectorsInitiator, [TrafficSelector.Parse(settings.InitiatorNet)]),
        new TrafficSelectorsPayload(PayloadType.TrafficSelectorsResponder, [TrafficSelector.Parse(settings.ResponderNet)]),
    ];

    public static (PayloadType First, byte[] Chain) Chain(IEnumerable<IIkePayload> payloads)
    {
        IkeWriter writer = new();
        foreach (IIkePayload payload in payloads)
            writer.Add(payload);
        return (writer.FirstPayload, writer.Written.ToArray());
    }

    /// <summary>Says something under the keys.</summary>
    /// <returns>The payloads of the answer; null: there was none.</returns>
    public IkePayloads? Say(ExchangeType type, (PayloadType First, byte[] Chain) content, long now)
    {
        IkeHeader header = new(_ourSpi, _theirSpi, type, IkeHeaderFlags.Initiator, _messageId);
        byte[] message = EncryptedPayload.CreateMessage(header, content.First, content.Chain.Length + SkProtection.Overhead);
        _protection.Seal(message.AsSpan(0, EncryptedPayload.SkBodyOffset), content.Chain, message.AsSpan(EncryptedPayload.SkBodyOffset));
        if (type == ExchangeType.IkeIntermediate)
            _ofInitiator = HMACSHA256.HashData(_keys.SkPi, [.. _ofInitiator, .. InTheClear(message, content.Chain)]);
        foreach (byte[] answer in Exchange(message, now))
        {
            Assert.Equal(IkeParseError.None, IkeHeader.Parse(answer, out IkeHeader answered));
            if (!answered.IsResponse)
                continue;
            Assert.Equal((_messageId, type), (answered.MessageId, answered.Exchange));
            Assert.Equal(IkeParseError.None, EncryptedPayload.Find(answered, answer, out EncryptedPayload place));
            Assert.True(_protection.TryOpen(answer.AsSpan(0, place.BodyOffset), answer.AsSpan(place.BodyOffset), out byte[] text));
            Assert.True(IkePayloads.Parse(place.FirstInner, text, out IkePayloads payloads).IsOk);
            if (type == ExchangeType.IkeIntermediate)
                _ofResponder = HMACSHA256.HashData(_keys.SkPr, [.. _ofResponder, .. InTheClear(answer, text)]);
            _messageId++;
            return payloads;
        }
        return null;
    }

    public void Dispose()
    {
        _protection.Dispose();
        _keys.Dispose();
    }

    /// <summary>A message without IV, padding and ICV, and with the lengths that it then has (RFC 9242 §3.3.2).</summary>
    private static byte[] InTheClear(byte[] message, byte[] payloads)
    {
        byte[] octets = [.. message[..32], .. payloads];
        (octets[26], octets[27]) = ((byte)(octets.Length >> 8), (byte)octets.Length);
        (octets[30], octets[31]) = ((byte)((octets.Length - 28) >> 8), (byte)(octets.Length - 28));
        return octets;
    }

    /// <summary>Sends a message, and takes what comes back to this address; requests of the other side are left unanswered.</summary>
    private List<byte[]> Exchange(byte[] message, long now)
    {
        _victim.Endpoint.HandleDatagram(_theirs, _ours, message, now);
        List<byte[]> answers = [];
        while (_victim.Endpoint.TryPollTransmit(out IkeDatagram? datagram))
        {
            if (datagram.Remote.Equals(_ours))
                answers.Add(datagram.Payload.ToArray());
        }
        _victim.TakeEvents();
        return answers;
    }
}
