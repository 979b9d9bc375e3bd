using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Malformed;

/// <summary>
/// Each message of the handshake, spoiled, sent to a real server or client under the right keys: it fails with an alert or waits for
/// more; it never throws, never goes round in circles, and never takes the peer for authenticated.
/// </summary>
public sealed class HandshakeInputTests
{
    /// <summary>Connections with random changes per message; each costs a key agreement, and most a signature.</summary>
    private const int RandomCases = 150;

    [Fact]
    public void A_ClientHello_that_is_cut_or_has_a_wrong_length_makes_a_server_wait_or_refuse()
    {
        byte[] hello = SampleMessages.Get(HandshakeType.ClientHello);
        foreach (byte[] cut in Mutations.Truncations(hello))
        {
            AssertServer(TlsStatus.NeedMoreData, cut);
            if (cut.Length > 4)
                AssertServer(TlsStatus.Failed, Mutations.WithRightLength(cut));
        }
        foreach (byte[] wrong in Mutations.LengthFields(hello).Where((_, index) => index % 7 == 0))
            AssertServer(null, wrong);
    }

    [Fact]
    public void A_ClientHello_with_random_changes_makes_a_server_answer_wait_or_refuse()
    {
        byte[] hello = SampleMessages.Get(HandshakeType.ClientHello);
        var random = new Random(2);
        for (int i = 0; i < 4 * RandomCases; i++)
        {
            byte[] bad = Mutations.Random(hello, random);
            AssertServer(null, i % 2 == 0 ? bad : Mutations.WithRightLength(bad));
        }
    }

    [Fact]
    public void A_clients_Finished_that_is_not_right_is_refused()
    {
        var random = new Random(3);
        for (int i = 0; i < RandomCases; i++)
        {
            using var client = new ScriptedClient(SampleMessages.ClientOptions);
            using var server = new TlsServer(SampleMessages.ServerOptions);
            client.Send(client.Hello().ToMessage());
            ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
            client.TakeFlight(flight);
            byte[] good = client.Finished(), bad = i < good.Length ? good[..i] : Mutations.Random(good, random);
            if (bad.AsSpan().SequenceEqual(good) || bad.Length == 0)
                continue;
            client.SendRecord(TlsContentType.Handshake, bad);
            AssertOutcome(server, ScriptedPeer.Drive(server, client.Take(), out byte[] answer), answer, canComplete: bad.AsSpan().StartsWith(good));
        }
    }

    public static TheoryData<int> ServerMessages =>
        [(int)HandshakeType.ServerHello, (int)HandshakeType.EncryptedExtensions, (int)HandshakeType.Certificate, (int)HandshakeType.CertificateVerify, (int)HandshakeType.Finished];

    [Theory]
    [MemberData(nameof(ServerMessages))]
    public void A_servers_message_that_is_cut_is_refused(int type)
    {
        int length = 0;
        for (int cut = 5; cut == 5 || cut < length; cut += 1 + (length / 100))
        {
            int at = cut;
            RunServerMessage((HandshakeType)type, message =>
            {
                length = message.Length;
                return Mutations.WithRightLength(message[..Math.Min(at, length - 1)]);
            });
        }
    }

    [Theory]
    [MemberData(nameof(ServerMessages))]
    public void A_servers_message_with_random_changes_is_refused(int type)
    {
        var random = new Random(4 + type);
        for (int i = 0; i < RandomCases; i++)
        {
            bool rightLength = i % 2 == 0;
            RunServerMessage((HandshakeType)type, message =>
            {
                byte[] bad = Mutations.Random(message, random);
                return rightLength ? Mutations.WithRightLength(bad) : bad;
            });
        }
    }

    [Fact]
    public void Messages_of_every_type_at_every_step_are_refused_or_expected()
    {
        foreach (HandshakeType type in Enum.GetValues<HandshakeType>().Append((HandshakeType)0).Append((HandshakeType)99))
        {
            AssertServer(type == HandshakeType.ClientHello ? null : TlsStatus.Failed, ScriptedPeer.Build(type, [.. new byte[40]]));
            foreach (int step in ServerMessages.Select(row => row.Data))
            {
                if ((int)type != step && type != HandshakeType.CertificateRequest)
                    RunServerMessage((HandshakeType)step, _ => ScriptedPeer.Build(type, [.. new byte[40]]));
            }
        }
    }

    /// <summary>Sends handshake bytes in one plaintext record to a new server.</summary>
    private static void AssertServer(TlsStatus? expected, byte[] handshake)
    {
        using var server = new TlsServer(SampleMessages.ServerOptions);
        byte[] record = handshake.Length == 0 ? [] : [22, 3, 1, (byte)(handshake.Length >> 8), (byte)handshake.Length, .. handshake];
        TlsStatus status = ScriptedPeer.Drive(server, record, out byte[] answer);
        if (expected is { } certain)
            Assert.Equal(certain, status);
        AssertOutcome(server, status, answer, canComplete: false);
    }

    /// <summary>A server's proper flight but for one message, to a client.</summary>
    private static void RunServerMessage(HandshakeType type, Func<byte[], byte[]> spoil)
    {
        using var client = new TlsClient(SampleMessages.ClientOptions);
        using var server = new ScriptedServer(SampleMessages.ServerOptions);
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        bool changed = false;
        if (type == HandshakeType.ServerHello)
        {
            server.AnswerHello();
            byte[] good = server.Take()[TlsRecordSizes.Header..], bad = spoil(good);
            changed = !bad.AsSpan().SequenceEqual(good);
            server.SendRaw([22, 3, 3, (byte)(bad.Length >> 8), (byte)bad.Length, .. bad]);
        }
        else
        {
            server.AnswerHello();
            foreach ((HandshakeType step, Func<byte[]> make) in new (HandshakeType, Func<byte[]>)[]
            {
                (HandshakeType.EncryptedExtensions, () => ScriptedServer.EncryptedExtensions()), (HandshakeType.Certificate, server.Certificate),
                (HandshakeType.CertificateVerify, () => server.CertificateVerify()), (HandshakeType.Finished, server.Finished),
            })
            {
                byte[] good = make(), bad = step == type ? spoil(good) : good;
                changed |= !bad.AsSpan().SequenceEqual(good);
                // The transcript is the spoiled one: later messages are right for what the client was told.
                if (bad.Length != 0)
                    server.Send(bad);
            }
        }
        TlsStatus status = ScriptedPeer.Drive(client, server.Take(), out byte[] answer);
        // What a client has no opinion about (an EncryptedExtensions in other words) may be accepted, as the Finished covers it.
        AssertOutcome(client, status, answer, canComplete: !changed || type is HandshakeType.EncryptedExtensions or HandshakeType.Certificate);
    }

    private static void AssertOutcome(TlsConnection connection, TlsStatus status, byte[] answer, bool canComplete)
    {
        if (status == TlsStatus.Failed)
        {
            Assert.NotNull(connection.Error);
            Assert.NotEqual(TlsErrorKind.LocalFailure, connection.Error.Kind);
            Assert.True(answer.Length >= 7, "There is no alert.");
        }
        else if (!canComplete)
        {
            Assert.True(status is TlsStatus.NeedMoreData or TlsStatus.Closed, $"The outcome is {status}.");
        }
        Assert.True(canComplete || !connection.IsHandshakeComplete);
    }
}
