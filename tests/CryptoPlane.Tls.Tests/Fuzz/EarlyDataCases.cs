using System.Security.Cryptography;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// A server that accepts early data (RFC 8446 §2.3), and a client that has the keys and does what it likes with them: between the ClientHello and
/// the EndOfEarlyData, and behind it. Then somebody sends what was recorded once more.
/// </summary>
internal static class EarlyDataCases
{
    private const int MaxEarlyData = 2000;

    private static readonly TlsTicketKeyRing s_ring = new();
    private static readonly byte[] s_pin = SHA256.HashData(TestCertificates.EcdsaP256.PublicKey.ExportSubjectPublicKeyInfo());
    private static readonly byte[] s_endOfEarlyData = ScriptedPeer.Build(HandshakeType.EndOfEarlyData);

    // A guard refuses what may have come before it began: here it began a minute ago.
    private static readonly ManualClock s_clock = new(), s_guardClock = new();
    private static readonly TlsCredential s_credential = new(TestCertificates.EcdsaP256);
    private static readonly Lazy<TlsSession> s_session = new(TakeSession);

    static EarlyDataCases() => s_clock.Advance(TimeSpan.FromMinutes(1));

    public static FuzzOutcome Run(Random random)
    {
        TlsServerOptions options = Server(new TlsReplayGuard(64, s_guardClock), random.Next(4) == 0 ? random.Next(64, 2000) : TlsRecordSizes.MaxInnerPlaintext);
        using var server = new TlsServer(options);
        using var client = new ScriptedClient(Client(s_session.Value));
        var fuzzed = new FuzzedConnection(server, random);
        var peer = new PerturbedPeer(client, random, oneIn: random.Next(3, 30));

        byte[] hello = client.Hello().ToMessage();
        if (random.Next(4) == 0)
            hello = client.Rebind(MessageMutator.Mutate(hello, random));
        client.Send(hello);
        TakeEarlyKeys(client, hello);
        for (int count = random.Next(6); count > 0; count--)
            SendEarly(client, peer, random);
        SendEnd(client, peer, random);
        byte[] first = client.Take();
        byte[] flight = fuzzed.Feed(first);
        if (server.CanWrite && random.Next(2) == 0)
            Answer(server);
        Check(fuzzed, peer);
        Replay(options, first, server.EarlyDataStatus, random);

        if (fuzzed.Status == TlsStatus.Failed || !FuzzCases.TryFollow(() => client.TakeFlight(flight)))
            return FuzzCases.Finish(random, fuzzed, client, peer, mayComplete: false);
        if (server.EarlyDataStatus == TlsEarlyDataStatus.Accepted)
            client.Context.Transcript.Append(s_endOfEarlyData);
        bool mayComplete = peer.Send(client.Finished());
        client.Context.ChangeWriteKeys(client.Application.Client);
        FuzzOutcome outcome = FuzzCases.Finish(random, fuzzed, client, peer, mayComplete);
        Check(fuzzed, peer);
        return outcome;
    }

    /// <summary>Data, more than is allowed, nothing at all, and what has no place there.</summary>
    private static void SendEarly(ScriptedClient client, PerturbedPeer peer, Random random)
    {
        switch (random.Next(12))
        {
            case 0:
                client.SendRecord(TlsContentType.Handshake, ScriptedPeer.Build(HandshakeType.KeyUpdate, (byte)random.Next(3)));
                break;
            case 1:
                peer.Disturb();
                break;
            case 2:
                peer.SendData(new byte[random.Next(2 * MaxEarlyData)]);
                break;
            case 3:
                byte[] forged = new byte[random.Next(17, 300)];
                random.NextBytes(forged);
                client.SendRaw([23, 3, 3, (byte)(forged.Length >> 8), (byte)forged.Length, .. forged]);
                break;
            case 4:
                byte[] record = new byte[TlsRecordSizes.Overhead];
                for (int count = random.Next(40); count > 0; count--)
                {
                    client.Records.TrySeal(TlsContentType.ApplicationData, [], record, out int length);
                    client.SendRaw(record.AsSpan(0, length));
                }
                break;
            default:
                byte[] data = new byte[random.Next(300)];
                random.NextBytes(data);
                peer.SendData(data);
                break;
        }
    }

    private static void SendEnd(ScriptedClient client, PerturbedPeer peer, Random random)
    {
        switch (random.Next(12))
        {
            case 0:
                break;
            case 1:
                client.SendRecord(TlsContentType.Handshake, [.. s_endOfEarlyData, .. s_endOfEarlyData]);
                break;
            case 2:
                client.SendRecord(TlsContentType.Handshake, ScriptedPeer.Build(HandshakeType.EndOfEarlyData, new byte[random.Next(1, 20)]));
                break;
            case 3:
                client.SendRecord(TlsContentType.Handshake, s_endOfEarlyData.AsSpan(0, 2));
                peer.Disturb();
                client.SendRecord(TlsContentType.Handshake, s_endOfEarlyData.AsSpan(2));
                break;
            case 4:
                client.SendRecord(TlsContentType.Handshake, s_endOfEarlyData);
                SendEarly(client, peer, random);
                break;
            case 5:
                client.SendRecord(TlsContentType.Handshake, MessageMutator.Mutate(s_endOfEarlyData, random));
                break;
            default:
                client.SendRecord(TlsContentType.Handshake, s_endOfEarlyData);
                break;
        }
    }

    /// <summary>What came out is the beginning of what was sent, and no more than the ticket allows.</summary>
    private static void Check(FuzzedConnection fuzzed, PerturbedPeer peer)
    {
        if (fuzzed.EarlyData.Count > MaxEarlyData)
            throw new FuzzFindingException($"{fuzzed.EarlyData.Count} bytes of early data came, and {MaxEarlyData} are allowed.");
        if (fuzzed.EarlyData.Count > peer.SentData.Count || !peer.SentData.Take(fuzzed.EarlyData.Count).SequenceEqual(fuzzed.EarlyData))
            throw new FuzzFindingException("Early data came out that was not sent, or in another order.");
    }

    /// <summary>RFC 8446 §8: what was taken once is not taken again.</summary>
    private static void Replay(TlsServerOptions options, byte[] first, TlsEarlyDataStatus taken, Random random)
    {
        using var server = new TlsServer(options);
        var fuzzed = new FuzzedConnection(server, random);
        fuzzed.Feed(first);
        if (taken == TlsEarlyDataStatus.Accepted && (server.EarlyDataStatus == TlsEarlyDataStatus.Accepted || fuzzed.EarlyData.Count != 0))
            throw new FuzzFindingException("Early data was taken a second time.");
        if (server.IsHandshakeComplete)
            throw new FuzzFindingException("A recorded flight completed a handshake.");
    }

    /// <summary>RFC 8446 §4.4.4: a server may answer early data before the client's Finished.</summary>
    private static void Answer(TlsServer server)
    {
        TlsStatus status = server.Write("early answer"u8, new byte[40_000], out int consumed, out _);
        if (status != TlsStatus.Complete || consumed != 12)
            throw new FuzzFindingException($"An early answer came to {status}.");
    }

    private static void TakeEarlyKeys(ScriptedClient client, byte[] hello)
    {
        using EarlySecret early = EarlySecret.Of(TlsHash.Sha256, s_session.Value.PreSharedKey);
        using TrafficSecret traffic = early.DeriveClientTraffic(SHA256.HashData(hello));
        client.Records.ChangeWriteKeys(TlsCipherSuite.Aes128GcmSha256, traffic.Value);
    }

    private static TlsServerOptions Server(TlsReplayGuard guard, int recordSizeLimit) => new(s_credential)
    {
        CipherSuites = [TlsCipherSuite.Aes128GcmSha256],
        Groups = [TlsNamedGroup.X25519],
        TicketProtector = s_ring,
        TimeProvider = s_clock,
        RecordSizeLimit = recordSizeLimit,
        DangerousAcceptEarlyData = new TlsEarlyDataPolicy(MaxEarlyData, guard),
    };

    private static TlsClientOptions Client(TlsSession? session) => new(TestCertificates.ServerName)
    {
        Groups = [TlsNamedGroup.X25519],
        PinnedKeys = [s_pin],
        TrustPinnedKeysAlone = true,
        KeepSessions = true,
        Session = session,
        DangerousSendEarlyData = true,
        TimeProvider = s_clock,
    };

    private static TlsSession TakeSession()
    {
        using var pair = new TlsPair(Client(null), Server(new TlsReplayGuard(64, s_guardClock), TlsRecordSizes.MaxInnerPlaintext));
        pair.Run();
        pair.ReadTickets();
        Assert.True(pair.Client.TryTakeSession(out TlsSession? session));
        return session;
    }
}
