using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;
using Xunit.Sdk;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// One connection with a peer gone astray. Everything that a case does follows from its seed, but for the randomness of TLS itself
/// (randoms, keys, signatures), which changes no case's course.
/// </summary>
internal static class FuzzCases
{
    private static readonly TlsCredential s_credential = new(TestCertificates.EcdsaP256);
    private static readonly TlsTicketKeyRing s_ring = new();
    private static readonly byte[] s_pin = SHA256.HashData(TestCertificates.EcdsaP256.PublicKey.ExportSubjectPublicKeyInfo());
    private static readonly Lazy<TlsSession> s_session = new(TakeSession);

    private static readonly TlsServerOptions[] s_servers =
    [
        Server(),
        Server(new TlsClientAuthentication()),
        Server(new TlsClientAuthentication { IsRequired = false }, TlsNamedGroup.Secp256r1),
        Server(null, TlsNamedGroup.Secp384r1, TlsNamedGroup.Secp256r1),
    ];

    private static readonly TlsClientOptions[] s_clients =
        [Client(), Client(keepSessions: true), Client(keepSessions: true, authenticates: true), SharedKeyCases.Client(null, SharedKeyCases.Keys)];

    /// <summary>Names and cases; a case says how its connection ended.</summary>
    public static IReadOnlyList<(string Name, Func<Random, FuzzOutcome> Run)> All { get; } =
    [
        ("server", RunServer), ("client", RunClient), ("wire", RunWire), ("early", EarlyDataCases.Run), ("keys", SharedKeyCases.Run),
        ("compressed", CompressionCases.Run), ("dtls", DtlsCases.Run),
    ];

    /// <summary>A server, and a client that has the keys and does what it likes.</summary>
    private static FuzzOutcome RunServer(Random random)
    {
        TlsServerOptions options = s_servers[random.Next(s_servers.Length)];
        using var server = new TlsServer(options);
        using var client = new ScriptedClient(Client(session: random.Next(3) == 0 ? s_session.Value : null));
        var fuzzed = new FuzzedConnection(server, random);
        var peer = new PerturbedPeer(client, random, oneIn: random.Next(2, 20));

        TlsNamedGroup group = random.Next(2) == 0 ? TlsNamedGroup.X25519 : options.Groups[0];
        peer.Send(client.Hello(group).ToMessage());
        byte[] flight = fuzzed.Feed(client.Take());
        if (IsRetry(flight, out TlsCipherSuite suite, out TlsNamedGroup asked) && TryFollow(() => FollowRetry(client, flight, suite)))
        {
            peer.Send(client.Hello(asked).ToMessage());
            flight = fuzzed.Feed(client.Take());
        }
        if (fuzzed.Status == TlsStatus.Failed || !TryFollow(() => client.TakeFlight(flight)))
            return Finish(random, fuzzed, client, peer, mayComplete: false);
        if (client.Received.Any(message => message[0] == (byte)HandshakeType.CertificateRequest) != (random.Next(10) == 0))
        {
            bool shows = random.Next(4) != 0;
            peer.Send(ScriptedClient.Certificate(shows ? s_credential : null));
            if (shows)
                peer.Send(client.CertificateVerify(s_credential, TlsSignatureScheme.EcdsaSecp256r1Sha256));
        }
        bool mayComplete = peer.Send(client.Finished());
        client.Context.ChangeWriteKeys(client.Application.Client);
        return Finish(random, fuzzed, client, peer, mayComplete);
    }

    /// <summary>A client, and a server that has the keys and does what it likes.</summary>
    private static FuzzOutcome RunClient(Random random)
    {
        using var client = new TlsClient(s_clients[random.Next(s_clients.Length)]);
        TlsServerOptions options = s_servers[random.Next(2) == 0 ? 0 : 3];
        using var server = new ScriptedServer(options);
        var fuzzed = new FuzzedConnection(client, random);
        var peer = new PerturbedPeer(server, random, oneIn: random.Next(2, 30));
        HelloBytes Change(HelloBytes hello) => random.Next(6) == 0 ? ChangeHello(hello, random) : hello;

        server.Feed(fuzzed.Feed([]));
        if (options.Groups[0] != TlsNamedGroup.X25519 || random.Next(8) == 0)
        {
            TryFollow(() => server.AskForRetry(options.Groups[0], Change));
            byte[] second = fuzzed.Feed(server.Take());
            TryFollow(() => server.Feed(second));
        }
        if (fuzzed.Status == TlsStatus.Failed || !TryFollow(() => server.AnswerHello(Change)))
            return Finish(random, fuzzed, server, peer, mayComplete: false);
        peer.Send(ScriptedServer.EncryptedExtensions());
        if (random.Next(5) == 0)
            peer.Send(ScriptedPeer.Build(HandshakeType.CertificateRequest, [0, 0, 10, 0, 13, 0, 6, 0, 4, 4, 3, 8, 4]));
        peer.Send(server.Certificate());
        bool mayComplete = peer.Send(server.CertificateVerify());
        mayComplete &= peer.Send(server.Finished());
        byte[] flight = server.Take();
        server.TakeApplicationKeys();
        server.SendRaw(flight);
        return Finish(random, fuzzed, server, peer, mayComplete);
    }

    /// <summary>Two proper sides, and somebody between them who has no keys.</summary>
    private static FuzzOutcome RunWire(Random random)
    {
        using var client = new TlsClient(Client(keepSessions: true, session: random.Next(2) == 0 ? s_session.Value : null));
        using var server = new TlsServer(s_servers[random.Next(s_servers.Length)]);
        FuzzedConnection left = new(client, random), right = new(server, random);
        int victim = random.Next(6);
        byte[] bytes = left.Feed([]);
        for (int flight = 0; flight < 6 && bytes.Length != 0; flight++)
        {
            byte[] arriving = flight == victim ? Malformed.Mutations.Random(bytes, random) : bytes;
            bytes = (flight % 2 == 0 ? right : left).Feed(arriving);
        }
        if (client.IsHandshakeComplete && server.IsHandshakeComplete)
        {
            byte[] one = new byte[32], other = new byte[32];
            client.ExportKeyingMaterial("fuzz", [], one);
            server.ExportKeyingMaterial("fuzz", [], other);
            if (!one.AsSpan().SequenceEqual(other))
                throw new FuzzFindingException("Both sides are complete, with different keys.");
        }
        if (left.Data.Count + right.Data.Count != 0)
            throw new FuzzFindingException("Data came out that nobody sent.");
        return FuzzOutcome.Of(client).And(FuzzOutcome.Of(server));
    }

    /// <summary>Sends what comes behind the handshake, and checks what was believed.</summary>
    public static FuzzOutcome Finish(Random random, FuzzedConnection fuzzed, ScriptedPeer scripted, PerturbedPeer peer, bool mayComplete)
    {
        for (int count = random.Next(8); count >= 0; count--)
            peer.SendAnythingBehindTheHandshake();
        fuzzed.Feed(scripted.Take());
        // RFC 8446 §4.4.4: nothing is believed without the peer's Finished, and the server's signature.
        if (!mayComplete && (fuzzed.Connection.IsHandshakeComplete || fuzzed.Data.Count != 0))
            throw new FuzzFindingException("A handshake was completed without the peer's Finished, or its signature.");
        if (fuzzed.Data.Count > peer.SentData.Count || !IsWithin(fuzzed.Data, peer.SentData))
            throw new FuzzFindingException("Data came out that the peer did not send, or in another order.");
        return FuzzOutcome.Of(fuzzed.Connection);
    }

    /// <summary>Whether some data is a part of what was sent, in its order: what came before the Finished is not given out.</summary>
    private static bool IsWithin(List<byte> data, List<byte> sent) => sent.ToArray().AsSpan().IndexOf(data.ToArray()) >= 0;

    /// <summary>Whether a server's flight begins with a HelloRetryRequest, and what it asks for.</summary>
    public static bool IsRetry(byte[] flight, out TlsCipherSuite suite, out TlsNamedGroup group)
    {
        (suite, group) = (TlsCipherSuite.None, TlsNamedGroup.None);
        int length = flight.Length > 5 ? (flight[3] << 8) | flight[4] : 0;
        if (length <= 4 || flight.Length < 5 + length || flight[0] != 22 || flight[5] != (byte)HandshakeType.ServerHello
            || ServerHello.Parse(flight.AsSpan(9, length - 4), out ServerHello hello) is not null || !hello.IsHelloRetryRequest)
            return false;
        suite = (TlsCipherSuite)hello.CipherSuite;
        return hello.Extensions.TryGet(ExtensionType.KeyShare, out ReadOnlySpan<byte> data) && KeyShareExtension.TryParseRetry(data, out group);
    }

    /// <summary>Takes a HelloRetryRequest into a client's transcript.</summary>
    public static void FollowRetry(ScriptedClient client, byte[] flight, TlsCipherSuite suite)
    {
        client.Feed(flight);
        client.Context.Transcript.Select(CipherSuiteParameters.Of(suite).Hash);
        client.Context.Transcript.ReplaceWithMessageHash();
        client.Context.Transcript.Append(client.Received[0]);
    }

    /// <summary>Lets the scripted side do something that it may be unable to do, now that its own words were changed.</summary>
    public static bool TryFollow(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e) when (e is XunitException or InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            return false;
        }
    }

    private static HelloBytes ChangeHello(HelloBytes hello, Random random)
    {
        byte[] message = MessageMutator.Mutate(hello.ToMessage(), random);
        return ServerHello.Parse(message.AsSpan(Math.Min(4, message.Length)), out _) is null ? HelloBytes.Parse(message) : hello.Set((ExtensionType)random.Next(60), 0, 1);
    }

    private static TlsServerOptions Server(TlsClientAuthentication? authentication = null, params TlsNamedGroup[] groups) => new(s_credential)
    {
        Groups = groups.Length == 0 ? [TlsNamedGroup.X25519] : groups,
        TicketProtector = s_ring,
        ClientAuthentication = authentication,
    };

    private static TlsClientOptions Client(bool keepSessions = false, bool authenticates = false, TlsSession? session = null) => new(TestCertificates.ServerName)
    {
        Groups = [TlsNamedGroup.X25519, TlsNamedGroup.Secp384r1, TlsNamedGroup.Secp256r1],
        TrustedRoots = new X509Certificate2Collection(TestCertificates.Root),
        // The chain of every case anew would be most of its time; ServerCertificateTests are about chains.
        PinnedKeys = [s_pin],
        TrustPinnedKeysAlone = true,
        KeepSessions = keepSessions,
        Credentials = authenticates ? [s_credential] : [],
        AllowPostHandshakeAuthentication = authenticates,
        Session = session,
    };

    private static TlsSession TakeSession()
    {
        using var pair = new TlsPair(Client(keepSessions: true), s_servers[0]);
        pair.Run();
        pair.ReadTickets();
        Assert.True(pair.Client.TryTakeSession(out TlsSession? session));
        return session;
    }
}
