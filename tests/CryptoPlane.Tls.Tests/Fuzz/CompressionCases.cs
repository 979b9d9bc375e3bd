using System.IO.Compression;
using System.Security.Cryptography;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// Compressed certificates (RFC 8879) of servers and of clients: lengths that lie, bombs, streams that are cut, changed or followed by more, and
/// streams of another algorithm than is said.
/// </summary>
internal static class CompressionCases
{
    private const int BombSize = 8 << 20;

    /// <summary>What a side may allocate for a message: what it decompresses to is bounded by 64 KiB.</summary>
    private const long MostAllocated = 4 << 20;

    private static readonly TlsCredential s_credential = new(TestCertificates.EcdsaP256, [TestCertificates.Root]);
    private static readonly byte[] s_pin = SHA256.HashData(TestCertificates.EcdsaP256.PublicKey.ExportSubjectPublicKeyInfo());
    private static readonly TlsCertificateCompression[] s_algorithms = [TlsCertificateCompression.Zlib, TlsCertificateCompression.Brotli];
    private static readonly Lazy<byte[]> s_zlibBomb = new(() => Compress(TlsCertificateCompression.Zlib, new byte[BombSize]));
    private static readonly Lazy<byte[]> s_brotliBomb = new(() => Compress(TlsCertificateCompression.Brotli, new byte[BombSize]));

    private static readonly TlsServerOptions s_server = new(s_credential)
    {
        Groups = [TlsNamedGroup.X25519],
        ClientAuthentication = new TlsClientAuthentication(),
        CertificateCompression = s_algorithms,
    };

    private static readonly TlsClientOptions s_client = new(TestCertificates.ServerName)
    {
        Groups = [TlsNamedGroup.X25519],
        PinnedKeys = [s_pin],
        TrustPinnedKeysAlone = true,
        CertificateCompression = s_algorithms,
    };

    public static FuzzOutcome Run(Random random) => random.Next(2) == 0 ? RunServer(random) : RunClient(random);

    private static FuzzOutcome RunClient(Random random)
    {
        using var client = new TlsClient(s_client);
        using var server = new ScriptedServer(s_server);
        var fuzzed = new FuzzedConnection(client, random);
        var peer = new PerturbedPeer(server, random, oneIn: 200);
        server.Feed(fuzzed.Feed([]));
        server.AnswerHello();
        peer.Send(ScriptedServer.EncryptedExtensions());
        bool mayComplete = Send(peer, server.Certificate(), random);
        mayComplete &= peer.Send(server.CertificateVerify());
        mayComplete &= peer.Send(server.Finished());
        byte[] flight = server.Take();
        server.TakeApplicationKeys();
        Feed(fuzzed, flight);
        return FuzzCases.Finish(random, fuzzed, server, peer, mayComplete);
    }

    private static FuzzOutcome RunServer(Random random)
    {
        using var server = new TlsServer(s_server);
        using var client = new ScriptedClient(s_client);
        var fuzzed = new FuzzedConnection(server, random);
        var peer = new PerturbedPeer(client, random, oneIn: 200);
        client.Send(client.Hello().ToMessage());
        client.TakeFlight(fuzzed.Feed(client.Take()));
        bool mayComplete = Send(peer, ScriptedClient.Certificate(s_credential), random);
        mayComplete &= peer.Send(client.CertificateVerify(s_credential, TlsSignatureScheme.EcdsaSecp256r1Sha256));
        mayComplete &= peer.Send(client.Finished());
        Feed(fuzzed, client.Take());
        client.Context.ChangeWriteKeys(client.Application.Client);
        return FuzzCases.Finish(random, fuzzed, client, peer, mayComplete);
    }

    /// <summary>Sends a Certificate compressed, in some way.</summary>
    /// <returns>False if nobody may take it.</returns>
    private static bool Send(PerturbedPeer peer, byte[] certificate, Random random)
    {
        byte[] body = certificate[4..];
        TlsCertificateCompression algorithm = s_algorithms[random.Next(2)];
        byte[] compressed = Compress(algorithm, body);
        switch (random.Next(10))
        {
            case 0:
                // One that lies about its length.
                int lie = random.Next(4) switch { 0 => random.Next(1 << 24), 1 => 0, 2 => body.Length - 1, _ => body.Length + 1 };
                return peer.Send(Message(algorithm, lie, compressed)) && lie == body.Length;
            case 1:
                // Followed by more: another byte, another stream, an empty one of zlib.
                byte[] more = random.Next(3) switch { 0 => [(byte)random.Next(256)], 1 => compressed, _ => [0x78, 0x9C, 3, 0, 0, 0, 0, 1] };
                peer.Send(Message(algorithm, body.Length, [.. compressed, .. more]));
                return false;
            case 2:
                peer.Send(Message(algorithm, body.Length, compressed[..random.Next(compressed.Length)]));
                return false;
            case 3:
                byte[] bomb = (algorithm == TlsCertificateCompression.Zlib ? s_zlibBomb : s_brotliBomb).Value;
                peer.Send(Message(algorithm, random.Next(3) switch { 0 => BombSize, 1 => 65_536, _ => body.Length }, bomb));
                return false;
            case 4:
                peer.Send(Message((TlsCertificateCompression)(random.Next(2) == 0 ? 3 - (int)algorithm : random.Next(0x10000) | 4), body.Length, compressed));
                return false;
            case 5 or 6:
                // A stream that is changed may be one still, of another body; only the signature and the Finished are over what was sent.
                byte[] changed = Malformed.Mutations.Random(compressed, random);
                return peer.Send(Message(algorithm, body.Length, changed));
            case 7:
                byte[] other = MessageMutator.Mutate(certificate, random);
                other = other.Length > 4 ? other[4..] : body;
                return peer.Send(Message(algorithm, other.Length, Compress(algorithm, other)));
            case 8 when algorithm == TlsCertificateCompression.Zlib && random.Next(2) == 0:
                // RFC 1950 §2.2: a stream that wants a dictionary.
                peer.Send(Message(algorithm, body.Length, [0x78, 0x20, 1, 2, 3, 4, .. compressed.AsSpan(2)]));
                return false;
            case 8:
                return peer.Send(MessageMutator.Mutate(Message(algorithm, body.Length, compressed), random));
            default:
                return peer.Send(Message(algorithm, body.Length, compressed));
        }
    }

    private static void Feed(FuzzedConnection fuzzed, byte[] flight)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        fuzzed.Feed(flight);
        // What the fuzzer itself allocates goes with the flight's size.
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before - (200L * flight.Length);
        if (allocated > MostAllocated)
            throw new FuzzFindingException($"{allocated} bytes were allocated for a flight of {flight.Length}.");
    }

    private static byte[] Message(TlsCertificateCompression algorithm, int length, byte[] compressed) => ScriptedPeer.Build(writer =>
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.CompressedCertificate);
        writer.WriteUInt16((ushort)algorithm);
        writer.WriteBytes([(byte)(length >> 16), (byte)(length >> 8), (byte)length]);
        WireWriter.LengthScope content = writer.Begin(3);
        writer.WriteBytes(compressed);
        writer.End(content);
        writer.End(message);
    });

    private static byte[] Compress(TlsCertificateCompression algorithm, byte[] body)
    {
        using var target = new MemoryStream();
        using (Stream stream = algorithm == TlsCertificateCompression.Zlib
            ? new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true)
            : new BrotliStream(target, CompressionLevel.Fastest, leaveOpen: true))
            stream.Write(body);
        return target.ToArray();
    }
}
