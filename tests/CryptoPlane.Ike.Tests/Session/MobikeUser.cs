using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Session;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>A peer with a pre-shared key that moves from address to address (RFC 4555), message by message.</summary>
internal sealed class MobikeUser : IDisposable
{
    private static readonly IPEndPoint s_gateway = new(TestConnections.ResponderAddress, 4500);
    private static readonly IkeSuite s_suite = new(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.X25519);

    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly TestConnections.Settings _settings = new() { Proposals = [s_suite] };
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(32);
    private IPEndPoint _address = new(TestConnections.InitiatorAddress, 4500);
    private ulong _gatewaySpi;
    private IkeKeys? _keys;
    private SkProtection? _protection;
    private uint _messageId = 1;

    public MobikeUser() => Gateway = new TestPeer("gateway", 1, null, TestConnections.Responder(_settings));

    public TestPeer Gateway { get; }

    public void Establish()
    {
        using IkeKeyExchange keyExchange = new(s_suite.KeyExchange);
        byte[] request = new IkeWriter().Begin(new IkeHeader(7, 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Initiator, 0))
            .Add(IkeProposals.Offer([s_suite], []))
            .Add(new KeyExchangePayload((ushort)s_suite.KeyExchange, keyExchange.PublicValue.ToArray()))
            .Add(new NoncePayload(_nonce)).ToMessage();
        byte[] response = Exchange(request);
        IkeHeader.Parse(response, out IkeHeader header);
        Assert.True(IkePayloads.Parse(header.NextPayload, response.AsSpan(IkeHeader.Size), out IkePayloads answer).IsOk);
        _gatewaySpi = header.ResponderSpi;
        using SecretBytes? secret = keyExchange.Finish(answer.KeyExchange!.PublicValue);
        _keys = IkeKeys.Derive(s_suite, secret!, _nonce, answer.Nonce!.Value, 7, _gatewaySpi);
        _protection = new SkProtection(_engine, _keys, isInitiator: true);

        IdentificationPayload identity = IdentificationPayload.Create(
            PayloadType.IdentificationInitiator, (byte)IkeIdentityType.Fqdn, IkeIdentity.Parse(_settings.InitiatorId).Data.Span);
        using SecretBytes key = new(_settings.Key);
        byte[] octets = SignedOctets.Create(s_suite.Prf, request, answer.Nonce.Value, _keys.SkPi, identity.Body);
        IkePayloads established = Ask(ExchangeType.IkeAuth,
            identity,
            new AuthenticationPayload(AuthenticationMethod.SharedKey, SharedKeyAuthentication.Compute(s_suite.Prf, key, octets)),
            EspProposals.Offer([new EspSuite(EspCipher.Aes256Gcm16)], [1, 2, 3, 4], isAuthExchange: true),
            new TrafficSelectorsPayload(PayloadType.TrafficSelectorsInitiator, [TrafficSelector.AnyIPv4]),
            new TrafficSelectorsPayload(PayloadType.TrafficSelectorsResponder, [TrafficSelector.AnyIPv4]),
            new NotifyPayload(NotifyType.MobikeSupported));
        Assert.NotNull(established.Find(NotifyType.MobikeSupported));
        Assert.NotNull(Gateway.Outbound());
    }

    /// <summary>Speaks from another address, and says what its addresses are.</summary>
    /// <param name="address">Where it is now.</param>
    /// <param name="update">Whether the gateway shall follow.</param>
    public IkePayloads Move(IPEndPoint address, bool update)
    {
        _address = address;
        List<IIkePayload> payloads = [.. NatDetection.Notifications(7, _gatewaySpi, _address, s_gateway, null), new NotifyPayload(NotifyType.Cookie2, [1, 2, 3, 4, 5, 6, 7, 8])];
        if (update)
            payloads.Insert(0, new NotifyPayload(NotifyType.UpdateSaAddresses));
        return Ask(ExchangeType.Informational, [.. payloads]);
    }

    /// <summary>Takes the gateway's request to show that this peer is where it says to be.</summary>
    /// <param name="from">Where the request must have been sent to.</param>
    /// <returns>Its payloads, and what takes the answer.</returns>
    public (IkePayloads Request, Action<IIkePayload> Answer) TakeRequest(IPEndPoint from)
    {
        Assert.True(Gateway.Endpoint.TryPollTransmit(out IkeDatagram? datagram));
        Assert.Equal(from, datagram.Remote);
        (IkeHeader request, IkePayloads payloads) = Open(datagram.Payload[4..].ToArray());
        Assert.Equal((ExchangeType.Informational, false), (request.Exchange, request.IsResponse));
        return (payloads, payload =>
        {
            IkeHeader header = new(7, _gatewaySpi, ExchangeType.Informational, IkeHeaderFlags.Initiator | IkeHeaderFlags.Response, request.MessageId);
            byte[] response = Assert.Single(SealedMessages.Seal(_protection!, header, new IkeWriter().Add(payload), int.MaxValue));
            Gateway.Endpoint.HandleDatagram(s_gateway, _address, response, 1_000);
            Gateway.TakeEvents();
        });
    }

    public void Dispose()
    {
        Gateway.Dispose();
        _protection?.Dispose();
        _keys?.Dispose();
        _engine.Dispose();
    }

    private IkePayloads Ask(ExchangeType type, params IIkePayload[] payloads)
    {
        IkeWriter writer = new();
        foreach (IIkePayload payload in payloads)
            writer.Add(payload);
        IkeHeader header = new(7, _gatewaySpi, type, IkeHeaderFlags.Initiator, _messageId++);
        return Open(Exchange(Assert.Single(SealedMessages.Seal(_protection!, header, writer, int.MaxValue)))).Payloads;
    }

    private (IkeHeader Header, IkePayloads Payloads) Open(byte[] message)
    {
        IkeHeader.Parse(message, out IkeHeader header);
        Assert.Equal(OpenStatus.Opened, SealedMessages.Open(_protection!, null, header, message, 0, out PayloadType first, out byte[] content));
        Assert.True(IkePayloads.Parse(first, content, out IkePayloads payloads).IsOk);
        return (header, payloads);
    }

    private byte[] Exchange(byte[] message)
    {
        Gateway.Endpoint.HandleDatagram(s_gateway, _address, message, 1_000);
        Assert.True(Gateway.Endpoint.TryPollTransmit(out IkeDatagram? answer));
        Assert.Equal(_address, answer.Remote);
        Gateway.TakeEvents();
        return answer.Payload[4..].ToArray();
    }
}
