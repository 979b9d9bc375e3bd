using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Wire;

/// <summary>
/// Every parser of a message's body or an extension's data: a right example is taken; cut at any length or with bytes behind it, it is
/// not; and whatever one or several changed bytes make of it, there is an answer and never an exception.
/// </summary>
public sealed class ParserTests
{
    private const int MutationsPerParser = 3000;

    private static readonly Dictionary<string, (byte[] Example, Func<byte[], bool> Parse, int[] ShorterIsRight)> s_parsers = new()
    {
        ["ClientHello"] = (ClientHelloBody(), body => ClientHello.Parse(body, out ClientHello hello) is null && Walk(hello.Extensions), [ClientHelloWithoutExtensions()]),
        ["ServerHello"] = (ServerHelloBody(), body => ServerHello.Parse(body, out ServerHello hello) is null && Walk(hello.Extensions), [2 + 32 + 1 + 32 + 3]),
        ["EncryptedExtensions"] = (ScriptedServer.EncryptedExtensions((ExtensionType.ServerName, []), ((ExtensionType)0x1234, [1, 2, 3]))[4..], body => EncryptedExtensionsMessage.Parse(body, out ExtensionList list) is null && Walk(list), []),
        ["Certificate"] = ([1, 9, 0, 0, 17, 0, 0, 3, 0x30, 1, 0, 0, 0, 0, 0, 4, 0x30, 2, 5, 0, 0, 0], body => CertificateMessage.Parse(body, out CertificateMessage message) is null && message.ToArray().Length == message.Count, []),
        ["CertificateRequest"] = ([0, 0, 13, 0x7A, 0x7A, 0, 1, 9, 0, 13, 0, 4, 0, 2, 4, 3], body => CertificateRequestMessage.Parse(body, out _) is null, []),
        ["CertificateVerify"] = ([4, 3, 0, 4, 1, 2, 3, 4], body => CertificateVerifyMessage.Parse(body, out _) is null, []),
        ["extensions"] = ([0, 0, 0, 2, 1, 2, 0x7A, 0x7A, 0, 0, 0, 16, 0, 1, 5], body => ExtensionList.Parse(body, out ExtensionList list) is null && Walk(list), [0, 6, 10]),
        ["server_name"] = ([0, 9, 0, 0, 6, .. "server"u8], data => ServerNameExtension.Parse(data, out _) is null, []),
        ["application protocols"] = ([0, 12, 2, .. "h2"u8, 8, .. "http/1.1"u8], data => ApplicationProtocolsExtension.TryParse(data, out ApplicationProtocolsExtension.ProtocolNameList names) && !names.Contains("none"u8), []),
        ["selected application protocol"] = ([0, 3, 2, .. "h2"u8], data => ApplicationProtocolsExtension.TryParseSelected(data, out _), []),
        ["supported_versions"] = ([4, 3, 4, 3, 3], data => SupportedVersionsExtension.TryParse(data, out CodePointList list) && Walk(list), []),
        ["selected version"] = ([3, 4], data => SupportedVersionsExtension.TryParseSelected(data, out _), []),
        ["supported_groups"] = ([0, 4, 0, 29, 0, 23], data => SupportedGroupsExtension.TryParse(data, out CodePointList list) && Walk(list), []),
        ["signature_algorithms"] = ([0, 4, 4, 3, 8, 4], data => SignatureAlgorithmsExtension.TryParse(data, out CodePointList list) && Walk(list), []),
        ["CompressedCertificate"] = ([0, 2, 0, 0, 9, 0, 0, 3, 1, 2, 3], body => CompressedCertificateMessage.Parse(body, out CompressedCertificateMessage message) is null && message.Length >= 0, []),
        ["compress_certificate"] = ([4, 0, 1, 0, 2], data => CompressCertificateExtension.TryParse(data, out CodePointList list) && Walk(list), []),
        ["status_request"] = ([1, 0, 1, 5, 0, 0], data => StatusRequestExtension.TryParse(data, out bool wantsOcsp) && wantsOcsp, []),
        ["OCSP response"] = ([1, 0, 0, 2, 1, 2], data => StatusRequestExtension.TryParseResponse(data, out ReadOnlySpan<byte> response) && !response.IsEmpty, []),
        ["record_size_limit"] = ([0x40, 1], data => RecordSizeLimitExtension.TryParse(data, out int limit) && limit is >= 0 and <= 65_535, []),
        ["cookie"] = ([0, 3, 1, 2, 3], data => CookieExtension.TryParse(data, out _), []),
        ["client key_share"] = ([0, 12, 0, 29, 0, 2, 1, 2, 0, 23, 0, 2, 3, 4], data => KeyShareExtension.Parse(data, Groups(), out KeyShareExtension.ClientShareList shares) is null && shares.Count > 0 && !shares.TryGet(TlsNamedGroup.Secp384r1, out _), []),
        ["server key_share"] = ([0, 29, 0, 3, 1, 2, 3], data => KeyShareExtension.TryParseServer(data, out _, out _), []),
        ["retry key_share"] = ([0, 29], data => KeyShareExtension.TryParseRetry(data, out _), []),
    };

    public static TheoryData<string> Parsers => [.. s_parsers.Keys];

    [Theory]
    [MemberData(nameof(Parsers))]
    public void The_example_is_taken_and_cut_or_extended_it_is_not(string name)
    {
        (byte[] example, Func<byte[], bool> parse, int[] shorterIsRight) = s_parsers[name];
        Assert.True(parse(example));
        for (int length = 0; length < example.Length; length++)
            Assert.True(parse(example[..length]) == shorterIsRight.Contains(length), $"cut at {length} of {example.Length}");
        Assert.False(parse([.. example, 0]));
        Assert.False(parse([.. example, .. example]));
    }

    [Theory]
    [MemberData(nameof(Parsers))]
    public void Every_value_of_every_byte_has_an_answer(string name)
    {
        (byte[] example, Func<byte[], bool> parse, _) = s_parsers[name];
        byte[] changed = (byte[])example.Clone();
        int taken = 0;
        for (int i = 0; i < example.Length; i++)
        {
            for (int value = 0; value < 256; value++)
            {
                changed[i] = (byte)value;
                taken += parse(changed) ? 1 : 0;
            }
            changed[i] = example[i];
        }
        // Each byte's own value is taken, so the count has this floor.
        Assert.True(taken >= example.Length);
    }

    [Theory]
    [MemberData(nameof(Parsers))]
    public void Random_changes_have_an_answer(string name)
    {
        (byte[] example, Func<byte[], bool> parse, _) = s_parsers[name];
        var random = new Random(name.Length * 7919);
        for (int i = 0; i < MutationsPerParser; i++)
        {
            byte[] changed = (byte[])example.Clone();
            for (int changes = random.Next(1, 6); changes > 0; changes--)
            {
                int at = random.Next(changed.Length);
                changed = random.Next(4) switch
                {
                    0 => [.. changed[..at], (byte)random.Next(256), .. changed[at..]],
                    1 when changed.Length > 1 => [.. changed[..at], .. changed[(at + 1)..]],
                    2 => [.. changed[..at], .. changed[random.Next(changed.Length)..]],
                    _ => Replace(changed, at, (byte)random.Next(256)),
                };
                if (changed.Length == 0)
                    changed = [0];
            }
            parse(changed);
        }
    }

    [Fact]
    public void Writers_and_parsers_agree()
    {
        byte[] random = [.. Enumerable.Range(0, 32).Select(value => (byte)value)];
        byte[] message = ScriptedPeer.Build(writer => ServerHello.Write(writer, random, [1, 2, 3], 0x1302, TlsNamedGroup.X25519, [9, 9]));
        Assert.Null(ServerHello.Parse(message.AsSpan(4), out ServerHello hello));
        Assert.Equal(message.Length - 4, (message[1] << 16) | (message[2] << 8) | message[3]);
        Assert.False(hello.IsHelloRetryRequest);
        Assert.False(hello.HasDowngradeSentinel);
        Assert.Equal(random, hello.Random);
        Assert.Equal(new byte[] { 1, 2, 3 }, hello.SessionIdEcho);
        Assert.Equal(0x1302, hello.CipherSuite);
        Assert.True(hello.Extensions.TryGet(ExtensionType.KeyShare, out ReadOnlySpan<byte> share));
        Assert.True(KeyShareExtension.TryParseServer(share, out TlsNamedGroup group, out ReadOnlySpan<byte> value));
        Assert.Equal(TlsNamedGroup.X25519, group);
        Assert.Equal(new byte[] { 9, 9 }, value);

        message = ScriptedPeer.Build(writer => CertificateMessage.Write(writer, [5], [[1, 2], [3]]));
        Assert.Null(CertificateMessage.Parse(message.AsSpan(4), out CertificateMessage certificates));
        Assert.Equal(new byte[] { 5 }, certificates.RequestContext);
        Assert.Equal([[1, 2], [3]], certificates.ToArray());
    }

    [Fact]
    public void A_length_that_does_not_fit_its_field_is_misuse()
    {
        var writer = new WireWriter();
        WireWriter.LengthScope scope = writer.Begin(1);
        writer.WriteBytes(new byte[256]);
        Assert.Throws<InvalidOperationException>(() => writer.End(scope));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.WriteVector8(new byte[256]));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.WriteVector16(new byte[65_536]));
    }

    private static byte[] ClientHelloBody()
    {
        using var client = new ScriptedClient();
        return client.Hello().ToMessage()[4..];
    }

    private static int ClientHelloWithoutExtensions()
    {
        using var client = new ScriptedClient();
        return client.Hello().With(hello => hello.Extensions.Clear()).ToMessage().Length - 4 - 2;
    }

    private static byte[] ServerHelloBody() => ScriptedPeer.Build(writer => ServerHello.Write(writer, new byte[32], new byte[32], 0x1301, TlsNamedGroup.X25519, new byte[32]))[4..];

    private static CodePointList Groups()
    {
        Assert.True(CodePointList.TryParse(new byte[] { 0, 29, 0, 23, 0, 24 }, out CodePointList groups));
        return groups;
    }

    private static byte[] Replace(byte[] bytes, int at, byte value)
    {
        bytes[at] = value;
        return bytes;
    }

    /// <summary>Reads every extension, so that a view that was not checked well would show.</summary>
    private static bool Walk(ExtensionList list)
    {
        int bytes = 0;
        foreach (ExtensionList.Extension extension in list)
            bytes += extension.Data.Length + (int)extension.Type;
        return bytes >= 0;
    }

    private static bool Walk(CodePointList list)
    {
        int sum = 0;
        for (int i = 0; i < list.Count; i++)
            sum += list[i];
        return sum >= 0;
    }
}
