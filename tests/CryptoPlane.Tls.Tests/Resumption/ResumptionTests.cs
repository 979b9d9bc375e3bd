using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Resumption;

/// <summary>Sessions that a server's tickets resume, and tickets that it must not take (RFC 8446 §2.2, §4.2.11, §4.6.1).</summary>
public sealed class ResumptionTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly TlsTicketKeyRing _ring = new();

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256, false)]
    [InlineData(TlsCipherSuite.Aes128GcmSha256, true)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384, false)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384, true)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256, false)]
    public void A_session_is_resumed_time_and_again(TlsCipherSuite suite, bool retry)
    {
        TlsServerOptions server = Server(suite);
        TlsSession? session = Take(server);
        for (int i = 0; i < 3; i++)
        {
            using var pair = new TlsPair(Client(session, retry ? TlsNamedGroup.Secp384r1 : TlsNamedGroup.X25519), server);
            pair.Run();
            Assert.Null(pair.Server.Error);
            Assert.Null(pair.Client.Error);
            foreach (TlsConnection side in new TlsConnection[] { pair.Client, pair.Server })
            {
                Assert.True(side.IsHandshakeComplete);
                Assert.True(side.IsResumed);
                Assert.Equal(retry, side.WasRetried);
                Assert.Equal(suite, side.NegotiatedCipherSuite);
                Assert.Equal(TlsSignatureScheme.None, side.NegotiatedSignatureScheme);
                Assert.Equal(TestCertificates.ServerName, side.ServerName);
            }
            // Neither signed nor verified: keys are agreed on, and that is all.
            Assert.All(pair.Work, work => Assert.Equal(TlsStatus.NeedsKeyAgreement, work));
            Assert.Equal(TestCertificates.EcdsaP256.RawData, pair.Client.RemoteCertificate!.RawData);
            pair.ReadTickets();
            byte[] data = [1, 2, 3];
            Assert.Equal(data, TlsPair.Send(pair.Client, pair.Server, data));
            Assert.Equal(data, TlsPair.Send(pair.Server, pair.Client, data));
            byte[] one = new byte[32], other = new byte[32];
            pair.Client.ExportKeyingMaterial("EXPORTER-test", [], one);
            pair.Server.ExportKeyingMaterial("EXPORTER-test", [], other);
            Assert.Equal(one, other);

            session.Dispose();
            Assert.True(pair.Client.TryTakeSession(out session));
        }
        session.Dispose();
    }

    [Fact]
    public void A_server_gives_as_many_tickets_as_it_was_told_and_a_client_that_does_not_keep_them_skips_them()
    {
        TlsServerOptions server = Server(TlsCipherSuite.Aes128GcmSha256, count: 5);
        foreach (bool keep in new[] { true, false })
        {
            using var pair = new TlsPair(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], KeepSessions = keep }, server);
            pair.Run();
            pair.ReadTickets();
            int count = 0;
            for (; pair.Client.TryTakeSession(out TlsSession? session); count++)
                session.Dispose();
            Assert.Equal(keep ? 5 : 0, count);
            Assert.Equal([9], TlsPair.Send(pair.Server, pair.Client, [9]));
        }
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 0)]
    public void Tickets_are_for_clients_that_say_how_they_would_use_them(bool saysSo, int tickets)
    {
        // RFC 8446 §4.2.9: psk_key_exchange_modes goes with the first ClientHello, and a server gives no ticket that is of no use.
        using var client = new ScriptedClient(Client(null));
        using var server = new TlsServer(Server(TlsCipherSuite.Aes128GcmSha256));
        HelloBytes hello = client.Hello();
        Assert.Equal([1, 1], hello.Get(ExtensionType.PskKeyExchangeModes));
        client.Send((saysSo ? hello : hello.Set(ExtensionType.PskKeyExchangeModes, 1, 0)).ToMessage());
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        int before = client.Received.Count;
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out byte[] answer));
        client.Feed(answer);
        Assert.Equal(tickets, client.Received.Count - before);
    }

    [Fact]
    public void A_ticket_is_good_for_its_lifetime()
    {
        TlsServerOptions server = Server(TlsCipherSuite.Aes128GcmSha256);
        using TlsSession session = Take(server);
        Assert.Equal(server.TicketLifetime, session.Lifetime);
        _clock.Advance(server.TicketLifetime - TimeSpan.FromSeconds(1));
        Assert.True(Resumes(session, server));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(session.IsExpired);
        Assert.False(Resumes(session, server));
        // A client whose clock stands still offers it all the same.
        var still = new ManualClock();
        using TlsSession offered = Take(server, still);
        _clock.Advance(server.TicketLifetime + TimeSpan.FromMilliseconds(1));
        Assert.False(offered.IsExpired);
        Assert.False(Resumes(offered, server));
    }

    [Fact]
    public void A_ticket_outlives_two_rotations_of_its_key_and_not_a_third()
    {
        TlsServerOptions server = Server(TlsCipherSuite.Aes128GcmSha256);
        using TlsSession session = Take(server);
        _ring.Rotate();
        Assert.True(Resumes(session, server));
        _ring.Rotate();
        Assert.True(Resumes(session, server));
        _ring.Rotate();
        Assert.False(Resumes(session, server));
    }

    [Fact]
    public void Servers_that_share_keys_resume_each_others_sessions()
    {
        using TlsSession session = Take(Server(TlsCipherSuite.Aes128GcmSha256));
        TlsServerOptions other = new(new TlsCredential(TestCertificates.EcdsaP256)) { TicketProtector = new TlsTicketKeyRing(_ring.Keys), TimeProvider = _clock };
        Assert.True(Resumes(session, other));
        TlsServerOptions stranger = new(new TlsCredential(TestCertificates.EcdsaP256)) { TicketProtector = new TlsTicketKeyRing(), TimeProvider = _clock };
        Assert.False(Resumes(session, stranger));
    }

    [Fact]
    public void A_suite_of_another_hash_makes_a_whole_handshake_of_it()
    {
        using TlsSession session = Take(Server(TlsCipherSuite.Aes128GcmSha256));
        Assert.False(Resumes(session, Server(TlsCipherSuite.Aes256GcmSha384)));
        // Behind a HelloRetryRequest, which names the suite, the ticket is left out (RFC 8446 §4.1.4).
        Assert.False(Resumes(session, Server(TlsCipherSuite.Aes256GcmSha384), TlsNamedGroup.Secp384r1));
        // The same hash is enough.
        Assert.True(Resumes(session, Server(TlsCipherSuite.ChaCha20Poly1305Sha256)));
    }

    [Fact]
    public void A_ticket_is_taken_once_where_a_register_remembers_it()
    {
        var register = new Register();
        TlsServerOptions server = Server(TlsCipherSuite.Aes128GcmSha256, register: register);
        using TlsSession session = Take(server);
        Assert.True(Resumes(session, server));
        Assert.False(Resumes(session, server));
        Assert.Equal(_clock.GetUtcNow().Add(server.TicketLifetime).ToUnixTimeMilliseconds(), Assert.Single(register.Used).Value);
    }

    [Fact]
    public void A_wrong_binder_ends_the_handshake_and_uses_no_ticket_up()
    {
        var register = new Register();
        TlsServerOptions server = Server(TlsCipherSuite.Aes128GcmSha256, register: register);
        using TlsSession session = Take(server);
        using (var pair = new TlsPair(Client(session), server))
        {
            bool changed = false;
            pair.OnClientBytes = bytes =>
            {
                if (bytes.Length > 0 && !changed)
                {
                    // The binder ends the ClientHello.
                    bytes[^1] ^= 1;
                    changed = true;
                }
                return bytes;
            };
            pair.Run();
            Assert.Equal(TlsAlert.DecryptError, pair.Server.Error!.Alert);
            Assert.Equal(TlsErrorKind.PeerAlerted, pair.Client.Error!.Kind);
        }
        Assert.Empty(register.Used);
        Assert.True(Resumes(session, server));
    }

    [Theory]
    [InlineData(false, 0, TlsAlert.UnsupportedExtension)]
    [InlineData(true, 1, TlsAlert.IllegalParameter)]
    [InlineData(true, 0xFFFF, TlsAlert.IllegalParameter)]
    public void A_server_that_takes_what_was_not_offered_is_refused(bool offers, int identity, TlsAlert alert)
    {
        using TlsSession session = Take(Server(TlsCipherSuite.Aes128GcmSha256));
        using var client = new TlsClient(Client(offers ? session : null));
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] first);
        server.Feed(first);
        server.AnswerHello(hello => hello.Set(ExtensionType.PreSharedKey, (byte)(identity >> 8), (byte)identity));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(alert, client.Error!.Alert);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_server_acknowledges_the_name_unless_it_resumes(bool resumes)
    {
        TlsServerOptions options = Server(TlsCipherSuite.Aes128GcmSha256);
        using TlsSession session = Take(options);
        using var client = new ScriptedClient(Client(resumes ? session : null));
        using var server = new TlsServer(options);
        client.Send(client.Hello().ToMessage());
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        Assert.Equal(resumes, server.IsResumed);
        Assert.Equal(TestCertificates.ServerName, server.ServerName);
        byte[] message = client.Received.Single(one => one[0] == (byte)HandshakeType.EncryptedExtensions);
        Assert.Null(EncryptedExtensionsMessage.Parse(message.AsSpan(4), out ExtensionList extensions));
        // RFC 6066 §3: "When resuming a session, the server MUST NOT include a server_name extension in the server hello."
        Assert.Equal(!resumes, extensions.Contains(ExtensionType.ServerName));
    }

    [Fact]
    public void A_session_is_for_its_server_only()
    {
        using TlsSession session = Take(Server(TlsCipherSuite.Aes128GcmSha256));
        Assert.Throws<ArgumentException>(() => new TlsClientOptions("other.example") { Session = session });
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ScriptedPeer.Drive(new TlsClient(Client(session)), [], out _));
    }

    public void Dispose()
    {
        foreach (TlsTicketKey key in _ring.Keys)
            key.Dispose();
    }

    private TlsServerOptions Server(TlsCipherSuite suite, int count = 2, ITlsTicketRegister? register = null) =>
        new(new TlsCredential(TestCertificates.EcdsaP256))
        {
            CipherSuites = [suite], Groups = [TlsNamedGroup.X25519], TicketProtector = _ring, TicketCount = count, TicketRegister = register, TimeProvider = _clock,
        };

    private TlsClientOptions Client(TlsSession? session, TlsNamedGroup firstShare = TlsNamedGroup.X25519, TimeProvider? clock = null) =>
        new(TestCertificates.ServerName)
        {
            TrustedRoots = [TestCertificates.Root],
            KeepSessions = true,
            Session = session,
            // The servers have X25519 alone, and ask for it where the share is another group's.
            Groups = firstShare == TlsNamedGroup.X25519 ? [firstShare] : [TlsNamedGroup.Secp384r1, TlsNamedGroup.X25519],
            KeyShareGroups = [firstShare],
            TimeProvider = clock ?? _clock,
        };

    private TlsSession Take(TlsServerOptions server, TimeProvider? clock = null)
    {
        using var pair = new TlsPair(Client(null, clock: clock), server);
        pair.Run();
        Assert.Null(pair.Client.Error);
        Assert.False(pair.Client.IsResumed);
        pair.ReadTickets();
        Assert.True(pair.Client.TryTakeSession(out TlsSession? session));
        return session;
    }

    private bool Resumes(TlsSession session, TlsServerOptions server, TlsNamedGroup firstShare = TlsNamedGroup.X25519)
    {
        using var pair = new TlsPair(Client(session, firstShare), server);
        pair.Run();
        Assert.Null(pair.Client.Error);
        Assert.Null(pair.Server.Error);
        Assert.True(pair.Client.IsHandshakeComplete);
        Assert.Equal(pair.Client.IsResumed, pair.Server.IsResumed);
        return pair.Client.IsResumed;
    }

    private sealed class Register : ITlsTicketRegister
    {
        public Dictionary<string, long> Used { get; } = [];

        public bool TryUse(ReadOnlySpan<byte> ticket, long expires) => Used.TryAdd(Convert.ToHexString(ticket), expires);
    }
}
