using System.Net;
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
    private readonly IkeKeys _keys;
    private readonly SkProtection _protection;
    private readonly byte[] _request, _theirNonce;
    private readonly ulong _ourSpi, _theirSpi;
    private uint _messageId = 1;

    /// <summary>Goes through IKE_SA_INIT.</summary>
    public RoguePeer(TestPeer victim, AeadEngine engine, IPAddress address, Random random, long now)
    {
        _victim = victim;
        _ours = new IPEndPoint(address, 500);
        _ourSpi = (ulong)random.NextInt64(1, long.MaxValue);
        byte[] nonce = new byte[32];
        random.NextBytes(nonce);
        using IkeKeyExchange exchange = new(Suite.KeyExchange);
        _request = new IkeWriter().Begin(new IkeHeader(_ourSpi, 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Initiator, 0))
            .Add(IkeProposals.Offer([Suite], []))
            .Add(new KeyExchangePayload((ushort)Suite.KeyExchange, exchange.PublicValue.ToArray()))
            .Add(new NoncePayload(nonce))
            .ToMessage();
        byte[] answer = Assert.Single(Exchange(_request, now));
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(answer, out IkeHeader header));
        Assert.True(IkePayloads.Parse(header.NextPayload, answer.AsSpan(IkeHeader.Size), out IkePayloads payloads).IsOk);
        _theirSpi = header.ResponderSpi;
        _theirNonce = payloads.Nonce!.Value;
        using SecretBytes secret = exchange.Finish(payloads.KeyExchange!.PublicValue)!;
        _keys = IkeKeys.Derive(Suite, secret, nonce, _theirNonce, _ourSpi, _theirSpi);
        _protection = new SkProtection(engine, _keys, isInitiator: true);
    }

    /// <summary>Whether the other side still holds the IKE SA of this peer for a good one.</summary>
    public bool IsEstablished => _victim.Endpoint.Report().Any(sa => sa.IkeSa == _theirSpi && sa.State == IkeSaState.Established);

    /// <summary>The payloads of a good IKE_AUTH request.</summary>
    public (PayloadType First, byte[] Chain) GoodAuth(TestConnections.Settings settings)
    {
        IkeIdentity identity = IkeIdentity.Parse(settings.InitiatorId);
        IdentificationPayload id = IdentificationPayload.Create(PayloadType.IdentificationInitiator, (byte)identity.Type, identity.Data.Span);
        using SecretBytes key = new(settings.Key);
        byte[] auth = SharedKeyAuthentication.Compute(Suite.Prf, key, SignedOctets.Create(Suite.Prf, _request, _theirNonce, _keys.SkPi, id.Body));
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
        foreach (byte[] answer in Exchange(message, now))
        {
            Assert.Equal(IkeParseError.None, IkeHeader.Parse(answer, out IkeHeader answered));
            if (!answered.IsResponse)
                continue;
            Assert.Equal((_messageId, type), (answered.MessageId, answered.Exchange));
            Assert.Equal(IkeParseError.None, EncryptedPayload.Find(answered, answer, out EncryptedPayload place));
            Assert.True(_protection.TryOpen(answer.AsSpan(0, place.BodyOffset), answer.AsSpan(place.BodyOffset), out byte[] text));
            Assert.True(IkePayloads.Parse(place.FirstInner, text, out IkePayloads payloads).IsOk);
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
