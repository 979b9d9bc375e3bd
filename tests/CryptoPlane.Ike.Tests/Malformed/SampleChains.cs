using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.Tests.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Malformed;

/// <summary>Good chains of payloads to spoil: every payload that there is, and what strongSwan sent.</summary>
internal static class SampleChains
{
    /// <summary>Every payload, with everything that can be in it.</summary>
    public static (PayloadType First, byte[] Chain) Everything { get; } = MakeEverything();

    /// <summary>That, and the payloads of strongSwan's messages, decrypted where they were encrypted.</summary>
    public static IReadOnlyList<(PayloadType First, byte[] Chain)> All { get; } = [Everything, .. Recorded()];

    private static (PayloadType First, byte[] Chain) MakeEverything()
    {
        Transform[] transforms =
        [
            new(TransformType.Encryption, 20, 256), new(TransformType.Encryption, 28), new(TransformType.PseudorandomFunction, 5),
            new(TransformType.KeyExchange, 31), new(TransformType.ExtendedSequenceNumbers, 1), new(TransformType.AdditionalKeyExchange1, 36),
            new(TransformType.AdditionalKeyExchange1, 0), new(TransformType.AdditionalKeyExchange7, 20),
        ];
        IkeWriter writer = new();
        writer
            .Add(new SecurityAssociationPayload(
                [new(1, SecurityProtocol.Ike, new byte[8], transforms), new(2, SecurityProtocol.Esp, [1, 2, 3, 4], transforms)]))
            .Add(new KeyExchangePayload(31, new byte[32]))
            .Add(new NoncePayload(new byte[32]))
            .Add(IdentificationPayload.Create(PayloadType.IdentificationInitiator, 2, "cli"u8))
            .Add(IdentificationPayload.Create(PayloadType.IdentificationResponder, 1, [192, 0, 2, 1]))
            .Add(new CertificatePayload(CertificateEncoding.HashAndUrlOfCertificate, [.. new byte[20], .. "http://example"u8]))
            .Add(new CertificateRequestPayload(CertificateEncoding.X509Signature, new byte[40]))
            .Add(new AuthenticationPayload(AuthenticationMethod.SharedKey, new byte[32]))
            .Add(NotifyPayload.ForEsp(NotifyType.RekeySa, 7))
            .Add(new NotifyPayload(NotifyType.Cookie, new byte[20]))
            .Add(new NotifyPayload(NotifyType.IntermediateExchangeSupported))
            .Add(new NotifyPayload(NotifyType.AdditionalKeyExchange, new byte[8]))
            .Add(new NotifyPayload(NotifyType.StateNotFound))
            .Add(NotifyPayload.InvalidKePayload(19))
            .Add(NotifyPayload.HashAlgorithms([2, 3, 4]))
            .Add(new DeletePayload(SecurityProtocol.Esp, [1, 2, 3]))
            .Add(DeletePayload.IkeSa)
            .Add(new VendorIdPayload([1, 2, 3]))
            .Add(new TrafficSelectorsPayload(PayloadType.TrafficSelectorsInitiator,
                [TrafficSelector.Parse("10.0.0.0/8"), TrafficSelector.Parse("2001:db8::/32")]))
            .Add(new TrafficSelectorsPayload(PayloadType.TrafficSelectorsResponder,
                [TrafficSelector.Parse("192.0.2.1-192.0.2.9[udp/500]")]))
            .Add(new ConfigurationPayload(ConfigurationType.Request,
                [
                    new(ConfigurationAttributeType.InternalIp4Address, IPAddress.Loopback.GetAddressBytes()),
                    new(ConfigurationAttributeType.InternalIp6Dns, []),
                ]))
            .Add(new EapPayload([1, 7, 0, 5, 1]));
        return (writer.FirstPayload, writer.Written.ToArray());
    }

    private static IEnumerable<(PayloadType First, byte[] Chain)> Recorded()
    {
        yield return InTheClear(StrongSwanRecording.InitRequest);
        yield return InTheClear(StrongSwanRecording.InitResponse);
        using AeadEngine engine = AeadEngine.CreateDefault();
        using IkeKeys keys = RecordedMessages.FirstKeys();
        using SkProtection initiator = new(engine, keys, isInitiator: true), responder = new(engine, keys, isInitiator: false);
        yield return Opened(responder, StrongSwanRecording.AuthRequest);
        yield return Opened(initiator, StrongSwanRecording.AuthResponse);
        yield return Opened(responder, StrongSwanRecording.ChildRequest);
        yield return Opened(initiator, StrongSwanRecording.ChildResponse);
    }

    private static (PayloadType First, byte[] Chain) InTheClear(byte[] message) =>
        (RecordedMessages.Header(message).NextPayload, message[IkeHeader.Size..]);

    private static (PayloadType First, byte[] Chain) Opened(SkProtection protection, byte[] message)
    {
        Assert.Equal(
            OpenStatus.Opened,
            SealedMessages.Open(protection, null, RecordedMessages.Header(message), message, 0, out PayloadType first, out byte[] payloads));
        return (first, payloads);
    }
}
