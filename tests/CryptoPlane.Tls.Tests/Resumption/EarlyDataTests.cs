using System.Net.Security;
using System.Security.Cryptography;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Resumption;

/// <summary>Early data (RFC 8446 §2.3, §4.2.10, §8): when it is taken, when it is passed over, and that nobody gets it twice.</summary>
public sealed class EarlyDataTests
{
    private readonly EarlyDataTestBed _bed = new();

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256, int.MaxValue)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384, int.MaxValue)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256, 97)]
    public void Early_data_is_taken_before_the_handshake_is_complete(TlsCipherSuite suite, int deliverySize)
    {
        TlsServerOptions server = _bed.Server(suite);
        using TlsSession session = _bed.Take(server);
        Assert.Equal(EarlyDataTestBed.MaxSize, session.MaxEarlyData);
        byte[] early = RandomNumberGenerator.GetBytes(EarlyDataTestBed.MaxSize + 10);
        using var pair = new TlsPair(_bed.Client(session), server) { EarlyDataToSend = early, DeliverySize = deliverySize };
        pair.Run();
        Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete, $"{pair.Client.Error} {pair.Server.Error}");
        Assert.Equal(TlsEarlyDataStatus.Accepted, pair.Client.EarlyDataStatus);
        Assert.Equal(TlsEarlyDataStatus.Accepted, pair.Server.EarlyDataStatus);
        Assert.Equal(early[..EarlyDataTestBed.MaxSize], pair.EarlyData);
        byte[] one = new byte[40], other = new byte[40], late = new byte[40];
        pair.Client.ExportEarlyKeyingMaterial("EXPORTER-early", [1], one);
        pair.Server.ExportEarlyKeyingMaterial("EXPORTER-early", [1], other);
        pair.Client.ExportKeyingMaterial("EXPORTER-early", [1], late);
        Assert.Equal(one, other);
        Assert.NotEqual(one, late);

        pair.ReadTickets();
        Assert.Equal([5, 6], TlsPair.Send(pair.Client, pair.Server, [5, 6]));
        Assert.Equal([7], TlsPair.Send(pair.Server, pair.Client, [7]));
        // The session behind it is good for more.
        Assert.True(pair.Client.TryTakeSession(out TlsSession? next));
        _bed.Resume(_bed.Client(next), server, TlsEarlyDataStatus.Accepted);
        next.Dispose();
    }

    [Fact]
    public void A_server_answers_early_data_before_the_clients_Finished()
    {
        TlsServerOptions options = _bed.Server();
        using TlsSession session = _bed.Take(options);
        using var client = new TlsClient(_bed.Client(session));
        using var server = new TlsServer(options);
        byte[] wire = new byte[1000];
        ScriptedPeer.Drive(client, [], out byte[] hello);
        client.WriteEarlyData("question"u8, wire, out _, out int length);
        Assert.False(server.CanWrite);
        Assert.Equal(TlsStatus.EarlyData, ScriptedPeer.Drive(server, [.. hello, .. wire.AsSpan(0, length)], out byte[] flight));
        Assert.Equal(8, server.ReadEarlyData(wire));
        Assert.True(server.CanWrite);
        Assert.False(server.IsHandshakeComplete);
        Assert.Equal(TlsStatus.Complete, server.Write("answer"u8, wire, out _, out length));
        byte[] answer = wire[..length];

        // It comes in the flight, and is read behind the client's Finished at the latest.
        Assert.False(client.CanWrite);
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, flight, out byte[] finished));
        Assert.Equal("answer"u8, TlsPair.Receive(client, answer, out _));
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, finished, out byte[] tickets));
        Assert.Equal([2], TlsPair.Receive(client, [.. tickets, .. Sealed(server, [2])], out _));
        Assert.Equal([3], TlsPair.Send(client, server, [3]));
    }

    [Fact]
    public void Without_early_data_nothing_goes_out_before_the_clients_Finished()
    {
        using var client = new TlsClient(_bed.Client());
        using var server = new TlsServer(_bed.Server());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        ScriptedPeer.Drive(server, hello, out _);
        Assert.False(server.CanWrite);
        Assert.Equal(0, server.MaxWriteSize);
        Assert.Throws<InvalidOperationException>(() => server.Write([1], new byte[100], out _, out _));
    }

    [Fact]
    public void An_offer_without_data_ends_at_once()
    {
        TlsServerOptions server = _bed.Server();
        using TlsSession session = _bed.Take(server);
        using var pair = new TlsPair(_bed.Client(session), server);
        pair.Run();
        Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete);
        Assert.Equal(TlsEarlyDataStatus.Accepted, pair.Server.EarlyDataStatus);
        Assert.Empty(pair.EarlyData);
    }

    [Fact]
    public void Nothing_early_is_sent_or_taken_unless_both_sides_say_so()
    {
        TlsServerOptions accepts = _bed.Server(), rejects = _bed.Server(accepts: false);
        using TlsSession permitted = _bed.Take(accepts), other = _bed.Take(accepts), plain = _bed.Take(rejects);
        Assert.Equal(0, plain.MaxEarlyData);
        _bed.Resume(_bed.Client(permitted, sends: false), accepts, TlsEarlyDataStatus.None);
        _bed.Resume(_bed.Client(plain), accepts, TlsEarlyDataStatus.None);
        _bed.Resume(_bed.Client(permitted), rejects, TlsEarlyDataStatus.Rejected);
        // A ticket from before the server accepted any says so itself, whatever a client makes of it.
        Assert.Equal(TlsEarlyDataStatus.None, new TlsClient(_bed.Client(other)).EarlyDataStatus);
    }

    [Fact]
    public void A_HelloRetryRequest_rejects_it()
    {
        TlsServerOptions server = _bed.Server();
        using TlsSession session = _bed.Take(server);
        _bed.Resume(_bed.Client(session, retry: true), server, TlsEarlyDataStatus.Rejected);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Early_data_in_longer_records_than_the_server_is_ready_to_open_is_taken_or_passed_over(bool accepts)
    {
        // The client does not know the limit yet, which is of the handshake that its early data comes before.
        using TlsSession session = _bed.Take(_bed.Server());
        byte[] early = new byte[20_000];
        using var pair = new TlsPair(_bed.Client(session), _bed.Server(accepts: accepts, recordSizeLimit: 100)) { EarlyDataToSend = early };
        pair.Run();
        Assert.Null(pair.Server.Error);
        Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete);
        Assert.Equal(accepts ? TlsEarlyDataStatus.Accepted : TlsEarlyDataStatus.Rejected, pair.Client.EarlyDataStatus);
        Assert.Equal(accepts ? early : [], pair.EarlyData);
        pair.ReadTickets();
        Assert.Equal([1, 2], TlsPair.Send(pair.Client, pair.Server, [1, 2]));
    }

    [Fact]
    public void A_whole_handshake_rejects_it()
    {
        using TlsSession session = _bed.Take(_bed.Server());
        TlsServerOptions stranger = new(new TlsCredential(TestCertificates.EcdsaP256)) { TicketProtector = new TlsTicketKeyRing(), Groups = [TlsNamedGroup.X25519] };
        _bed.Resume(_bed.Client(session), stranger, TlsEarlyDataStatus.Rejected, resumed: false);
        // One with another hash than the keys of the early data have.
        TlsServerOptions other = new(new TlsCredential(TestCertificates.EcdsaP256)) { TicketProtector = new TlsTicketKeyRing(), CipherSuites = [TlsCipherSuite.Aes256GcmSha384], Groups = [TlsNamedGroup.X25519] };
        _bed.Resume(_bed.Client(session), other, TlsEarlyDataStatus.Rejected, resumed: false);
        _bed.Resume(_bed.Client(session, retry: true), other, TlsEarlyDataStatus.Rejected, resumed: false);
    }

    [Fact]
    public void Another_suite_or_application_protocol_than_the_sessions_rejects_it()
    {
        using TlsSession session = _bed.Take(_bed.Server());
        _bed.Resume(_bed.Client(session), _bed.Server(TlsCipherSuite.ChaCha20Poly1305Sha256), TlsEarlyDataStatus.Rejected);

        TlsServerOptions http2 = _bed.Server(protocol: SslApplicationProtocol.Http2), http11 = _bed.Server(protocol: SslApplicationProtocol.Http11);
        SslApplicationProtocol[] both = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
        using TlsSession first = _bed.Take(http2, protocols: both);
        Assert.Equal(SslApplicationProtocol.Http2, first.ApplicationProtocol);
        _bed.Resume(_bed.Client(first, protocols: both), http11, TlsEarlyDataStatus.Rejected);
        _bed.Resume(_bed.Client(first, protocols: both), http2, TlsEarlyDataStatus.Accepted);
        // A client that no longer speaks the protocol has nothing to say in it.
        _bed.Resume(_bed.Client(first, protocols: SslApplicationProtocol.Http11), http11, TlsEarlyDataStatus.None);
    }

    [Fact]
    public void The_same_ticket_buys_early_data_once()
    {
        TlsServerOptions server = _bed.Server();
        using TlsSession session = _bed.Take(server);
        _bed.Resume(_bed.Client(session), server, TlsEarlyDataStatus.Accepted);
        _bed.Resume(_bed.Client(session), server, TlsEarlyDataStatus.Rejected);
        _bed.Resume(_bed.Client(session), server, TlsEarlyDataStatus.Rejected);
    }

    [Fact]
    public void What_was_recorded_is_not_taken_again()
    {
        TlsServerOptions server = _bed.Server();
        using TlsSession session = _bed.Take(server);
        using var client = new TlsClient(_bed.Client(session));
        ScriptedPeer.Drive(client, [], out byte[] hello);
        byte[] wire = new byte[1000];
        client.WriteEarlyData("pay 100"u8, wire, out _, out int written);
        byte[] recorded = [.. hello, .. wire.AsSpan(0, written)];

        using (var first = new TlsServer(server))
        {
            Assert.Equal(TlsStatus.EarlyData, ScriptedPeer.Drive(first, recorded, out _));
            Assert.Equal(7, first.ReadEarlyData(wire));
        }
        foreach (TimeSpan later in new[] { TimeSpan.Zero, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), TimeSpan.FromHours(1) })
        {
            _bed.Clock.Advance(later);
            using var second = new TlsServer(server);
            Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(second, recorded, out _));
            Assert.Equal(TlsEarlyDataStatus.Rejected, second.EarlyDataStatus);
            Assert.Equal(0, second.ReadEarlyData(wire));
        }
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(10_000, true)]
    [InlineData(10_001, false)]
    public void A_clock_may_go_wrong_by_the_freshness_window(int milliseconds, bool accepted)
    {
        TlsServerOptions server = _bed.Server();
        foreach (bool clientIsSlow in new[] { true, false })
        {
            var clock = new ManualClock();
            using TlsSession session = _bed.Take(server, clock);
            TimeSpan apart = TimeSpan.FromMilliseconds(milliseconds);
            (clientIsSlow ? _bed.Clock : clock).Advance(apart);
            _bed.Resume(_bed.Client(session, clock: clock), server, accepted ? TlsEarlyDataStatus.Accepted : TlsEarlyDataStatus.Rejected);
        }
    }

    [Fact]
    public void A_guard_that_has_just_begun_or_is_full_refuses()
    {
        var young = new TlsReplayGuard(clock: _bed.Clock);
        TlsServerOptions server = _bed.Server(guard: young);
        using TlsSession session = _bed.Take(server);
        _bed.Resume(_bed.Client(session), server, TlsEarlyDataStatus.Rejected);
        _bed.Clock.Advance(TimeSpan.FromSeconds(10.001));
        _bed.Resume(_bed.Client(session), server, TlsEarlyDataStatus.Accepted);

        var small = new TlsReplayGuard(capacity: 1, _bed.Clock);
        _bed.Clock.Advance(TimeSpan.FromMinutes(1));
        long now = _bed.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        int taken = 0;
        for (int i = 0; i < 100; i++)
            taken += small.TryUse(SHA256.HashData([(byte)i]), now - 10, now + 10) ? 1 : 0;
        Assert.InRange(taken, 1, 16);
        _bed.Clock.Advance(TimeSpan.FromMilliseconds(11));
        // What has expired makes room.
        Assert.True(small.TryUse(SHA256.HashData([200]), now, now + 20));
        Assert.False(small.TryUse(SHA256.HashData([200]), now, now + 20));
    }

    [Fact]
    public async Task A_guard_lets_one_of_many_threads_through()
    {
        var guard = new TlsReplayGuard(capacity: 64, _bed.Clock);
        _bed.Clock.Advance(TimeSpan.FromMinutes(1));
        long now = _bed.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        for (int round = 0; round < 50; round++)
        {
            byte[] id = SHA256.HashData([(byte)round]);
            bool[] results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => guard.TryUse(id, now, now + 1000))));
            Assert.Single(results, result => result);
        }
    }

    [Fact]
    public void Calls_out_of_place_are_refused()
    {
        TlsServerOptions options = _bed.Server();
        using TlsSession session = _bed.Take(options);
        using var client = new TlsClient(_bed.Client(session));
        using var server = new TlsServer(options);
        byte[] buffer = new byte[100];
        Assert.False(client.CanWriteEarlyData);
        Assert.Equal(0, client.EarlyDataRemaining);
        Assert.Throws<InvalidOperationException>(() => client.WriteEarlyData([1], buffer, out _, out _));
        Assert.Throws<InvalidOperationException>(() => client.ExportEarlyKeyingMaterial("a", [], buffer));
        Assert.Equal(0, server.ReadEarlyData(buffer));
        ScriptedPeer.Drive(client, [], out _);
        Assert.Equal(TlsEarlyDataStatus.Offered, client.EarlyDataStatus);
        Assert.Equal(EarlyDataTestBed.MaxSize, client.EarlyDataRemaining);
        Assert.Equal(TlsStatus.DestinationTooSmall, client.WriteEarlyData([1], buffer.AsSpan(0, 22), out int consumed, out int written));
        Assert.Equal((0, 0), (consumed, written));
        Assert.Equal(TlsStatus.Complete, client.WriteEarlyData([1], buffer.AsSpan(0, 23), out consumed, out written));
        Assert.Equal((1, 23), (consumed, written));
        Assert.Throws<InvalidOperationException>(() => client.Write([1], buffer, out _, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TlsEarlyDataPolicy(0, _bed.Guard));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TlsEarlyDataPolicy(TlsEarlyDataPolicy.Largest + 1, _bed.Guard));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TlsEarlyDataPolicy(1, _bed.Guard) { FreshnessWindow = TimeSpan.FromSeconds(61) });
    }

    private static byte[] Sealed(TlsConnection connection, ReadOnlySpan<byte> data)
    {
        byte[] wire = new byte[1000];
        Assert.Equal(TlsStatus.Complete, connection.Write(data, wire, out _, out int length));
        return wire[..length];
    }
}
