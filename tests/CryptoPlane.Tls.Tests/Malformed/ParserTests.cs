using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Malformed;

/// <summary>Every parser of a message, with everything that could be wrong about its bytes: an error or a view, and no exception.</summary>
public sealed class ParserTests
{
    private const int RandomCases = 15_000;

    public static TheoryData<int> Types =>
    [
        (int)HandshakeType.ClientHello, (int)HandshakeType.ServerHello, (int)HandshakeType.EncryptedExtensions, (int)HandshakeType.Certificate,
        (int)HandshakeType.CertificateRequest, (int)HandshakeType.CertificateVerify, (int)HandshakeType.Finished,
    ];

    [Theory]
    [MemberData(nameof(Types))]
    public void A_message_that_is_cut_is_refused(int type)
    {
        byte[] body = SampleMessages.Get((HandshakeType)type)[4..];
        Assert.Null(Parse((HandshakeType)type, body));
        foreach (byte[] cut in Mutations.Truncations(body))
        {
            // Hellos may end before their extensions (RFC 8446 §4.1.2): those are an older version's, and refused for that.
            if (Parse((HandshakeType)type, cut) == null)
                Assert.True(IsHelloWithoutExtensions((HandshakeType)type, cut));
        }
        Assert.NotNull(Parse((HandshakeType)type, [.. body, 0]));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Wrong_lengths_are_never_followed_out_of_the_message(int type)
    {
        foreach (byte[] bad in Mutations.LengthFields(SampleMessages.Get((HandshakeType)type)[4..]))
            Parse((HandshakeType)type, bad);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Random_changes_give_an_error_or_a_message(int type)
    {
        byte[] body = SampleMessages.Get((HandshakeType)type)[4..];
        var random = new Random(84_46 + type);
        int refused = 0;
        for (int i = 0; i < RandomCases; i++)
        {
            if (Parse((HandshakeType)type, Mutations.Random(body, random)) is { } error)
            {
                Assert.Contains(error.Alert, (TlsAlert[])[TlsAlert.DecodeError, TlsAlert.IllegalParameter, TlsAlert.MissingExtension, TlsAlert.UnsupportedExtension,
                    TlsAlert.BadCertificate, TlsAlert.ProtocolVersion, TlsAlert.UnrecognizedName, TlsAlert.HandshakeFailure]);
                refused++;
            }
        }
        Assert.InRange(refused, RandomCases / 50, RandomCases);
    }

    [Fact]
    public void Random_bytes_are_no_message()
    {
        var random = new Random(1);
        for (int i = 0; i < RandomCases; i++)
        {
            byte[] bytes = new byte[random.Next(300)];
            random.NextBytes(bytes);
            foreach (int type in Types.Select(row => row.Data))
                Parse((HandshakeType)type, bytes);
        }
    }

    /// <summary>Parses a body, and everything inside that the handshake would look at.</summary>
    private static TlsError? Parse(HandshakeType type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case HandshakeType.ClientHello:
                return ClientHello.Parse(body, out ClientHello client) ?? ParseExtensions(client.Extensions, isClient: true);
            case HandshakeType.ServerHello:
                return ServerHello.Parse(body, out ServerHello server) ?? ParseExtensions(server.Extensions, isClient: false);
            case HandshakeType.EncryptedExtensions:
                return EncryptedExtensionsMessage.Parse(body, out ExtensionList extensions) ?? ParseExtensions(extensions, isClient: false);
            case HandshakeType.Certificate:
                return CertificateMessage.Parse(body, out _);
            case HandshakeType.CertificateRequest:
                return CertificateRequestMessage.Parse(body, out _);
            case HandshakeType.CertificateVerify:
                return CertificateVerifyMessage.Parse(body, out _);
            default:
                return FinishedMessage.Check(body, TlsHash.Sha256.Length());
        }
    }

    private static TlsError? ParseExtensions(ExtensionList extensions, bool isClient)
    {
        TlsError? error = null;
        foreach (ExtensionList.Extension extension in extensions)
        {
            ReadOnlySpan<byte> data = extension.Data;
            bool ok = true;
            switch (extension.Type)
            {
                case ExtensionType.ServerName when isClient:
                    error ??= ServerNameExtension.Parse(data, out _);
                    break;
                case ExtensionType.SupportedGroups:
                    ok = SupportedGroupsExtension.TryParse(data, out _);
                    break;
                case ExtensionType.SignatureAlgorithms:
                    ok = SignatureAlgorithmsExtension.TryParse(data, out _);
                    break;
                case ExtensionType.SupportedVersions:
                    ok = isClient ? SupportedVersionsExtension.TryParse(data, out _) : SupportedVersionsExtension.TryParseSelected(data, out _);
                    break;
                case ExtensionType.ApplicationProtocols:
                    ok = isClient ? ApplicationProtocolsExtension.TryParse(data, out _) : ApplicationProtocolsExtension.TryParseSelected(data, out _);
                    break;
                case ExtensionType.Cookie:
                    ok = CookieExtension.TryParse(data, out _);
                    break;
                case ExtensionType.KeyShare when isClient:
                    if (extensions.TryGet(ExtensionType.SupportedGroups, out ReadOnlySpan<byte> groupsData) && SupportedGroupsExtension.TryParse(groupsData, out CodePointList groups))
                        error ??= KeyShareExtension.Parse(data, groups, out _);
                    break;
                case ExtensionType.KeyShare:
                    ok = KeyShareExtension.TryParseServer(data, out _, out _) || KeyShareExtension.TryParseRetry(data, out _);
                    break;
            }
            if (!ok)
                error ??= TlsError.Decode($"{extension.Type} is malformed.");
        }
        return error;
    }

    private static bool IsHelloWithoutExtensions(HandshakeType type, ReadOnlySpan<byte> body) =>
        (type == HandshakeType.ClientHello && ClientHello.Parse(body, out ClientHello client) == null && client.Extensions.IsEmpty)
        || (type == HandshakeType.ServerHello && ServerHello.Parse(body, out ServerHello server) == null && server.Extensions.IsEmpty);
}
