using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>A remote user's client, message by message, which says what a test wants it to say. It speaks EAP-MSCHAPv2 as peer.</summary>
internal sealed class TestUser : IDisposable
{
    private static readonly IPEndPoint s_gateway = new(TestConnections.ResponderAddress, 4500);

    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly TestPeer _peer;
    private readonly IPEndPoint _address;
    private readonly ulong _spi = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(8));
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(32), _identity;
    private readonly IkeSuite _suite;
    private byte[] _request = [], _response = [], _gatewayNonce = [];
    private ulong _gatewaySpi;
    private IkeKeys? _keys;
    private SkProtection? _protection;
    private uint _messageId = 1;

    public TestUser(TestPeer gateway, int number, IkeSuite? suite = null)
    {
        _peer = gateway;
        _address = new IPEndPoint(new IPAddress([192, 0, 2, (byte)number]), 4500);
        _identity = Encoding.ASCII.GetBytes($"device-{number}");
        _suite = suite ?? IkeSuite.Defaults[0];
    }

    /// <summary>The MSK, once the client has answered a challenge.</summary>
    public SecretBytes? Msk { get; private set; }

    public byte[] OurIdentity => [(byte)IkeIdentityType.KeyId, 0, 0, 0, .. _identity];

    /// <summary>IKE_SA_INIT.</summary>
    public void Init(long now)
    {
        using IkeKeyExchange keyExchange = new(_suite.KeyExchange);
        IkeWriter writer = new IkeWriter().Begin(new IkeHeader(_spi, 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Initiator, 0));
        writer.Add(IkeProposals.Offer([_suite], []));
        writer.Add(new KeyExchangePayload((ushort)_suite.KeyExchange, keyExchange.PublicValue.ToArray()));
        writer.Add(new NoncePayload(_nonce));
        writer.Add(NotifyPayload.HashAlgorithms(SignatureHashes.Numbers));
        _request = writer.ToMessage();
        _response = Exchange(_request, now);
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(_response, out IkeHeader header));
        Assert.True(IkePayloads.Parse(header.NextPayload, _response.AsSpan(IkeHeader.Size), out IkePayloads answer).IsOk);
        _gatewaySpi = header.ResponderSpi;
        _gatewayNonce = answer.Nonce!.Value;
        using SecretBytes? secret = keyExchange.Finish(answer.KeyExchange!.PublicValue);
        _keys = IkeKeys.Derive(_suite, secret!, _nonce, _gatewayNonce, _spi, _gatewaySpi);
        _protection = new SkProtection(_engine, _keys, isInitiator: true);
    }

    /// <summary>Sends a request of IKE_AUTH and returns the answer.</summary>
    public IkePayloads Auth(long now, params IIkePayload[] payloads) => Request(ExchangeType.IkeAuth, now, payloads);

    /// <summary>Sends a request of INFORMATIONAL and returns the answer.</summary>
    public IkePayloads Inform(long now, params IIkePayload[] payloads) => Request(ExchangeType.Informational, now, payloads);

    /// <summary>Sends a request of another kind and returns the answer.</summary>
    public IkePayloads Send(ExchangeType exchange, long now, params IIkePayload[] payloads) => Request(exchange, now, payloads);

    /// <summary>The first request of IKE_AUTH: no AUTH, and what the client would like.</summary>
    public IkePayloads Ask(long now, params ConfigurationAttributeType[] attributes) => Ask(now, null, attributes);

    /// <summary>The same with something more.</summary>
    public IkePayloads Ask(long now, NotifyPayload? more, ConfigurationAttributeType[] attributes)
    {
        List<IIkePayload> payloads =
        [
            IdentificationPayload.Create(PayloadType.IdentificationInitiator, (byte)IkeIdentityType.KeyId, _identity),
            EspProposals.Offer([new EspSuite(EspCipher.Aes256Gcm16)], RandomNumberGenerator.GetBytes(4), isAuthExchange: true),
            new TrafficSelectorsPayload(PayloadType.TrafficSelectorsInitiator, [TrafficSelector.AnyIPv4, TrafficSelector.AnyIPv6]),
            new TrafficSelectorsPayload(PayloadType.TrafficSelectorsResponder, [TrafficSelector.AnyIPv4, TrafficSelector.AnyIPv6]),
        ];
        if (attributes.Length != 0)
            payloads.Add(new ConfigurationPayload(ConfigurationType.Request, [.. attributes.Select(type => new ConfigurationAttribute(type, []))]));
        if (more is not null)
            payloads.Add(more);
        return Auth(now, [.. payloads]);
    }

    /// <summary>EAP up to the server's verdict on the password.</summary>
    public IkePayloads LogIn(long now, string user, string password, EapPayload identityRequest)
    {
        byte[] name = Encoding.UTF8.GetBytes(user);
        IkePayloads challenge = Auth(now, Eap(identityRequest.Packet[1], 1, Encoding.ASCII.GetBytes("somebody")));
        byte[] packet = challenge.Eap!.Packet, ours = RandomNumberGenerator.GetBytes(16), hash = new byte[16], response = new byte[24];
        EapPassword.Hash(password, hash);
        MsChapV2.ComputeResponse(packet.AsSpan(10, 16), ours, name, hash, response);
        Msk = MsChapV2.DeriveMsk(hash, response);
        byte[] data = [2, packet[1], 0, 0, 49, .. ours, .. new byte[8], .. response, 0, .. name];
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2), (ushort)data.Length);
        return Auth(now, Eap(packet[1], 26, data));
    }

    /// <summary>The AUTH that our side sends in the end.</summary>
    public AuthenticationPayload OurAuth(SecretBytes msk) => new(AuthenticationMethod.SharedKey, SharedKeyAuthentication.Compute(_suite.Prf, msk,
        SignedOctets.Create(_suite.Prf, _request, _gatewayNonce, _keys!.SkPi, OurIdentity)));

    /// <summary>What the gateway signs.</summary>
    public byte[] GatewayOctets(IdentificationPayload identity) => SignedOctets.Create(_suite.Prf, _response, _nonce, _keys!.SkPr, identity.Body);

    /// <summary>Whether the gateway's AUTH is by the MSK.</summary>
    public bool IsGatewayAuth(AuthenticationPayload auth, IdentificationPayload identity) =>
        auth.Method == AuthenticationMethod.SharedKey && SharedKeyAuthentication.Verify(_suite.Prf, Msk!, GatewayOctets(identity), auth.Data);

    public static EapPayload Eap(byte identifier, byte type, ReadOnlySpan<byte> data)
    {
        byte[] packet = [2, identifier, 0, 0, type, .. data];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        return new EapPayload(packet);
    }

    public void Dispose()
    {
        Msk?.Dispose();
        _protection?.Dispose();
        _keys?.Dispose();
        _engine.Dispose();
    }

    private IkePayloads Request(ExchangeType exchange, long now, IIkePayload[] payloads)
    {
        IkeHeader header = new(_spi, _gatewaySpi, exchange, IkeHeaderFlags.Initiator, _messageId++);
        IkeWriter writer = new();
        foreach (IIkePayload payload in payloads)
            writer.Add(payload);
        byte[] response = Exchange(Assert.Single(SealedMessages.Seal(_protection!, header, writer, int.MaxValue)), now);
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(response, out IkeHeader answerHeader));
        Assert.Equal(OpenStatus.Opened, SealedMessages.Open(_protection!, null, answerHeader, response, now, out PayloadType first, out byte[] content));
        Assert.True(IkePayloads.Parse(first, content, out IkePayloads answer).IsOk);
        return answer;
    }

    private byte[] Exchange(byte[] message, long now)
    {
        _peer.Endpoint.HandleDatagram(s_gateway, _address, message, now);
        Assert.True(_peer.Endpoint.TryPollTransmit(out IkeDatagram? answer));
        Assert.False(_peer.Endpoint.TryPollTransmit(out _));
        Assert.Equal(_address, answer.Remote);
        _peer.TakeEvents();
        return answer.Payload[4..].ToArray();
    }
}
