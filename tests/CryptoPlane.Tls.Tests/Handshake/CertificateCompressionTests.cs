using System.IO.Compression;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Compressed certificates (RFC 8879) of servers and clients, and everything that could be wrong with one.</summary>
public sealed class CertificateCompressionTests
{
    private static readonly TlsCredential s_chain = new(TestCertificates.EcdsaP256, [TestCertificates.Root, TestCertificates.Rsa2048]);

    private static readonly Dictionary<string, (TlsAlert Alert, Func<byte[], byte[]> Make)> s_messages = new()
    {
        ["an algorithm that was not offered"] = (TlsAlert.IllegalParameter, body => Message(3, body.Length, Brotli(body))),
        ["an algorithm that was not offered, but is built"] = (TlsAlert.IllegalParameter, body => Message(1, body.Length, Zlib(body))),
        ["a length that is too short"] = (TlsAlert.BadCertificate, body => Message(2, body.Length - 1, Brotli(body))),
        ["a length that is too long"] = (TlsAlert.BadCertificate, body => Message(2, body.Length + 1, Brotli(body))),
        ["a length of nothing"] = (TlsAlert.BadCertificate, body => Message(2, 0, Brotli(body))),
        ["a length beyond 64 KiB"] = (TlsAlert.BadCertificate, body => Message(2, 65_537, Brotli(new byte[65_537]))),
        ["a bomb"] = (TlsAlert.BadCertificate, body => Message(2, 65_536, Brotli(new byte[16_000_000]))),
        ["data of another algorithm"] = (TlsAlert.BadCertificate, body => Message(2, body.Length, Zlib(body))),
        ["no compressed data"] = (TlsAlert.DecodeError, body => Message(2, body.Length, [])),
        ["compressed data cut short"] = (TlsAlert.BadCertificate, body => Message(2, body.Length, Brotli(body)[..^3])),
        ["bytes behind the compressed data"] = (TlsAlert.BadCertificate, body => Message(2, body.Length, [.. Brotli(body), 0])),
        ["bytes behind the message"] = (TlsAlert.DecodeError, body => ScriptedPeer.Build(HandshakeType.CompressedCertificate, [.. Message(2, body.Length, Brotli(body)).AsSpan(4), 0])),
        ["a malformed Certificate inside"] = (TlsAlert.DecodeError, body => Message(2, body.Length - 1, Brotli(body[..^1]))),
        ["an empty Certificate inside"] = (TlsAlert.DecodeError, body => Message(2, 4, Brotli([0, 0, 0, 0]))),
    };

    public static TheoryData<string> Messages => [.. s_messages.Keys];

    [Theory]
    [InlineData(TlsCertificateCompression.Brotli, TlsCertificateCompression.Brotli, TlsCertificateCompression.Zlib)]
    [InlineData(TlsCertificateCompression.Brotli, TlsCertificateCompression.Zlib, TlsCertificateCompression.Brotli)]
    [InlineData(TlsCertificateCompression.Brotli, TlsCertificateCompression.Brotli)]
    [InlineData(TlsCertificateCompression.Zlib, TlsCertificateCompression.Zlib)]
    [InlineData(TlsCertificateCompression.None)]
    public void A_server_compresses_as_the_client_offers(TlsCertificateCompression expected, params TlsCertificateCompression[] offered)
    {
        int plain = 0;
        foreach (TlsCertificateCompression[] algorithms in new[] { [], offered })
        {
            using var pair = new TlsPair(Client(algorithms), new TlsServerOptions(_ => s_chain));
            int sent = 0;
            pair.OnServerBytes = bytes =>
            {
                sent += bytes.Length;
                return bytes;
            };
            pair.Run();
            Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete, $"{pair.Client.Error} {pair.Server.Error}");
            TlsCertificateCompression used = algorithms.Length == 0 ? TlsCertificateCompression.None : expected;
            Assert.Equal(used, pair.Client.CertificateCompression);
            Assert.Equal(used, pair.Server.CertificateCompression);
            Assert.Equal(TestCertificates.EcdsaP256.RawData, pair.Client.RemoteCertificate!.RawData);
            Assert.Equal(used != TlsCertificateCompression.None, plain != 0 && sent < plain - 100);
            plain = sent;
        }
    }

    [Theory]
    [InlineData(TlsCertificateCompression.Brotli)]
    [InlineData(TlsCertificateCompression.Zlib)]
    [InlineData(TlsCertificateCompression.None)]
    public void A_client_compresses_as_the_server_asks(TlsCertificateCompression compression)
    {
        TlsServerOptions server = new(new TlsCredential(TestCertificates.EcdsaP256))
        {
            CertificateCompression = compression == TlsCertificateCompression.None ? [] : [compression],
            ClientAuthentication = new TlsClientAuthentication([TestCertificates.Root]) { IsRequired = true },
        };
        var credential = new TlsCredential(TestCertificates.Rsa2048, [TestCertificates.Root]);
        var client = new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], Credentials = [credential] };
        using var pair = new TlsPair(client, server);
        pair.Run();
        Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete, $"{pair.Client.Error} {pair.Server.Error}");
        Assert.Equal(TestCertificates.Rsa2048.RawData, pair.Server.RemoteCertificate!.RawData);
    }

    [Fact]
    public void What_is_compressed_is_made_once_and_only_if_it_is_shorter()
    {
        var chains = new CompressedChains();
        byte[] response = [1, 2, 3], other = [1, 2, 3];
        byte[] made = chains.Get(TlsCertificateCompression.Brotli, s_chain.Chain, null)!;
        Assert.Same(made, chains.Get(TlsCertificateCompression.Brotli, s_chain.Chain, null));
        byte[] stapled = chains.Get(TlsCertificateCompression.Brotli, s_chain.Chain, response)!;
        Assert.NotEqual(made, stapled);
        Assert.Same(stapled, chains.Get(TlsCertificateCompression.Brotli, s_chain.Chain, response));
        Assert.Same(made, chains.Get(TlsCertificateCompression.Brotli, s_chain.Chain, null));
        // A response that was replaced makes another message.
        Assert.NotSame(stapled, chains.Get(TlsCertificateCompression.Brotli, s_chain.Chain, other));
        byte[] random = new byte[500];
        new Random(3).NextBytes(random);
        Assert.Null(chains.Get(TlsCertificateCompression.Zlib, [random], null));
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_wrong_one_gets_the_right_alert(string name)
    {
        (TlsAlert alert, Func<byte[], byte[]> make) = s_messages[name];
        using var client = new TlsClient(Client(TlsCertificateCompression.Brotli));
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        Answer(client, server);
        server.Send(make(server.Certificate()[4..]));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(alert, client.Error!.Alert);
    }

    [Theory]
    [InlineData("a byte behind the compressed data")]
    [InlineData("a stream behind the compressed data")]
    [InlineData("an empty stream behind the compressed data")]
    [InlineData("no checksum")]
    [InlineData("half a checksum")]
    [InlineData("a wrong checksum")]
    [InlineData("a dictionary that nobody has")]
    [InlineData("a bomb")]
    public void A_wrong_stream_of_zlib_is_refused(string what)
    {
        using var client = new TlsClient(Client(TlsCertificateCompression.Zlib));
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        Answer(client, server);
        byte[] body = server.Certificate()[4..], good = Zlib(body);
        int length = what == "a bomb" ? 65_536 : body.Length;
        byte[] bad = what switch
        {
            "a byte behind the compressed data" => [.. good, 0],
            "a stream behind the compressed data" => [.. good, .. good],
            "an empty stream behind the compressed data" => [.. good, 0x78, 0x9C, 3, 0, 0, 0, 0, 1],
            "no checksum" => good[..^4],
            "half a checksum" => good[..^2],
            "a wrong checksum" => [.. good.AsSpan(0, good.Length - 1), (byte)(good[^1] ^ 1)],
            // RFC 1950 §2.2: CMF, FLG with FDICT, DICTID.
            "a dictionary that nobody has" => [0x78, 0x20, 1, 2, 3, 4, .. good.AsSpan(2)],
            _ => Zlib(new byte[16_000_000]),
        };
        server.Send(Message(1, length, bad));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(TlsAlert.BadCertificate, client.Error!.Alert);
    }

    [Fact]
    public void One_that_was_not_offered_is_unexpected()
    {
        using var client = new TlsClient(Client());
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        Answer(client, server);
        byte[] body = server.Certificate()[4..];
        server.Send(Message(2, body.Length, Brotli(body)));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(TlsAlert.UnexpectedMessage, client.Error!.Alert);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Changed_data_gives_an_answer_and_never_an_exception(int algorithm)
    {
        byte[] body = new byte[900];
        new Random(5).NextBytes(body.AsSpan(0, 300));
        byte[] good = Message(algorithm, body.Length, algorithm == 1 ? Zlib(body) : Brotli(body))[4..];
        var random = new Random(algorithm);
        int same = 0;
        for (int i = 0; i < 4000; i++)
        {
            byte[] changed = (byte[])good.Clone();
            changed[random.Next(8, changed.Length)] ^= (byte)(1 << random.Next(8));
            byte[] result = new byte[body.Length];
            Assert.Null(CompressedCertificateMessage.Parse(changed, out CompressedCertificateMessage message));
            same += message.TryDecompress(result) && result.AsSpan().SequenceEqual(body) ? 1 : 0;
        }
        Assert.InRange(same, 0, 2000);
    }

    [Fact]
    public void A_request_says_how_the_certificate_is_wanted()
    {
        byte[] body = ScriptedPeer.Build(writer => CertificateRequestMessage.Write(writer, [], TlsSignatureSchemes.Default, [], [TlsCertificateCompression.Zlib]))[4..];
        Assert.Null(CertificateRequestMessage.Parse(body, out CertificateRequestMessage request));
        Assert.Equal(new CertificateForm(TlsCertificateCompression.Zlib, false), request.Form);
        // GnuTLS sends an empty status_request, as RFC 8446 §4.4.2.1 has it; a client's form has no place there.
        byte[] schemes = [0, 13, 0, 4, 0, 2, 4, 3];
        Assert.Null(CertificateRequestMessage.Parse((byte[])[0, 0, 12, .. schemes, 0, 5, 0, 0], out request));
        Assert.Equal(new CertificateForm(TlsCertificateCompression.None, true), request.Form);
        Assert.Equal(TlsAlert.DecodeError, CertificateRequestMessage.Parse((byte[])[0, 0, 17, .. schemes, 0, 5, 0, 5, 1, 0, 0, 0, 0], out _)!.Alert);
        Assert.Equal(TlsAlert.DecodeError, CertificateRequestMessage.Parse((byte[])[0, 0, 14, .. schemes, 0, 27, 0, 2, 2, 0], out _)!.Alert);
    }

    [Fact]
    public void Algorithms_that_are_not_built_cannot_be_offered() =>
        Assert.Throws<ArgumentException>(() => Client((TlsCertificateCompression)3));

    private static TlsClientOptions Client(params TlsCertificateCompression[] offered) =>
        new(TestCertificates.ServerName) { TrustedRoots = new X509Certificate2Collection(TestCertificates.Root), CertificateCompression = offered };

    private static void Answer(TlsClient client, ScriptedServer server)
    {
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        server.Send(ScriptedServer.EncryptedExtensions());
    }

    private static byte[] Message(int algorithm, int length, byte[] compressed) => ScriptedPeer.Build(
        HandshakeType.CompressedCertificate,
        [0, (byte)algorithm, (byte)(length >> 16), (byte)(length >> 8), (byte)length, (byte)(compressed.Length >> 16), (byte)(compressed.Length >> 8), (byte)compressed.Length, .. compressed]);

    private static byte[] Brotli(byte[] body)
    {
        byte[] buffer = new byte[BrotliEncoder.GetMaxCompressedLength(body.Length)];
        Assert.True(BrotliEncoder.TryCompress(body, buffer, out int length));
        return buffer[..length];
    }

    private static byte[] Zlib(byte[] body)
    {
        using var target = new MemoryStream();
        using (var stream = new ZLibStream(target, CompressionLevel.Optimal, leaveOpen: true))
            stream.Write(body);
        return target.ToArray();
    }
}
