using System.Net;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Responder;

/// <summary>IKE_SA_INIT requests of many initiators.</summary>
internal static class InitRequests
{
    public static IPEndPoint Endpoint(uint address, int port = 500) =>
        new(new IPAddress([(byte)(address >> 24), (byte)(address >> 16), (byte)(address >> 8), (byte)address]), port);

    /// <summary>A request whose SPI and nonce come from a seed.</summary>
    public static byte[] Make(int seed, byte[]? cookie = null)
    {
        Random random = new(seed);
        byte[] nonce = new byte[32], publicValue = new byte[32];
        random.NextBytes(nonce);
        random.NextBytes(publicValue);
        IkeWriter writer = new();
        writer.Begin(new IkeHeader((ulong)random.NextInt64(1, long.MaxValue), 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Initiator, 0));
        if (cookie is not null)
            writer.Add(new NotifyPayload(NotifyType.Cookie, cookie));
        Transform[] transforms =
            [new(TransformType.Encryption, 20, 128), new(TransformType.PseudorandomFunction, 5), new(TransformType.KeyExchange, 31)];
        return writer
            .Add(new SecurityAssociationPayload([new Proposal(1, SecurityProtocol.Ike, [], transforms)]))
            .Add(new KeyExchangePayload(31, publicValue))
            .Add(new NoncePayload(nonce))
            .ToMessage();
    }

    public static IkeHeader HeaderOf(byte[] message)
    {
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(message, out IkeHeader header));
        return header;
    }

    /// <summary>
    /// The cookie that a reply demands: it is a well-formed response with N(COOKIE) alone, for the request's SPI and none of ours.
    /// </summary>
    public static byte[] CookieOf(byte[] reply, byte[] request)
    {
        IkeHeader header = HeaderOf(reply);
        IkeHeader expected = new(HeaderOf(request).InitiatorSpi, 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Response, 0);
        Assert.Equal(expected with { NextPayload = PayloadType.Notify }, header);
        Assert.True(IkePayloads.Parse(header.NextPayload, reply.AsSpan(IkeHeader.Size), out IkePayloads payloads).IsOk);
        NotifyPayload cookie = Assert.Single(payloads.Notifications);
        Assert.Equal(NotifyType.Cookie, cookie.NotifyType);
        Assert.InRange(cookie.Data.Length, 1, 64);
        return cookie.Data;
    }
}
