using System.Security.Cryptography;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Resumption;

/// <summary>Keys from elsewhere (RFC 8446 §4.2.11) and imported ones (RFC 9258), in place of certificates.</summary>
public sealed class PreSharedKeyTests
{
    private static readonly byte[] s_secret = RandomNumberGenerator.GetBytes(32);

    public static MatrixTheoryData<TlsCipherSuite, bool, bool> Cases =>
        new([TlsCipherSuite.Aes128GcmSha256, TlsCipherSuite.Aes256GcmSha384, TlsCipherSuite.ChaCha20Poly1305Sha256], [false, true], [false, true]);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_shared_key_stands_for_the_certificate(TlsCipherSuite suite, bool imported, bool retry)
    {
        HashAlgorithmName hash = suite == TlsCipherSuite.Aes256GcmSha384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
        using TlsPreSharedKey clients = Key("alice", hash, imported), servers = Key("alice", hash, imported), other = Key("bob");
        var options = new TlsServerOptions(new KeyTable(other, servers)) { CipherSuites = [suite], Groups = [TlsNamedGroup.X25519], TicketProtector = new TlsTicketKeyRing() };
        using var pair = new TlsPair(Client(retry ? TlsNamedGroup.Secp256r1 : TlsNamedGroup.X25519, clients), options);
        pair.Run();
        Assert.Null(pair.Client.Error);
        Assert.Null(pair.Server.Error);
        foreach (TlsConnection side in new TlsConnection[] { pair.Client, pair.Server })
        {
            Assert.True(side.IsHandshakeComplete);
            Assert.False(side.IsResumed);
            Assert.Equal(retry, side.WasRetried);
            Assert.Equal(clients.Identity, side.PreSharedKeyIdentity);
            Assert.Equal(TlsSignatureScheme.None, side.NegotiatedSignatureScheme);
            Assert.Null(side.RemoteCertificate);
        }
        Assert.All(pair.Work, work => Assert.Equal(TlsStatus.NeedsKeyAgreement, work));
        Assert.Equal([1, 2], TlsPair.Send(pair.Client, pair.Server, [1, 2]));
        Assert.Equal([3], TlsPair.Send(pair.Server, pair.Client, [3]));
        Assert.False(pair.Client.TryTakeSession(out _));
    }

    [Fact]
    public void The_second_of_two_keys_is_taken_if_the_first_is_unknown()
    {
        using TlsPreSharedKey first = Key("first"), second = Key("second");
        using var pair = new TlsPair(Client(TlsNamedGroup.X25519, first, second), new TlsServerOptions(new KeyTable(second)));
        pair.Run();
        Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete);
        Assert.Equal("second"u8, pair.Server.PreSharedKeyIdentity);
        Assert.Equal("second"u8, pair.Client.PreSharedKeyIdentity);
    }

    [Fact]
    public void A_server_that_knows_no_key_shows_its_certificate_and_one_without_refuses()
    {
        using TlsPreSharedKey key = Key("alice"), other = Key("bob");
        var withCertificate = new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { PreSharedKeys = new KeyTable(other) };
        foreach (bool retry in new[] { false, true })
        {
            using (var pair = new TlsPair(Client(retry ? TlsNamedGroup.Secp256r1 : TlsNamedGroup.X25519, key), withCertificate))
            {
                pair.Run();
                Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete, $"{pair.Client.Error}");
                Assert.True(pair.Client.PreSharedKeyIdentity.IsEmpty && pair.Server.PreSharedKeyIdentity.IsEmpty);
                Assert.NotNull(pair.Client.RemoteCertificate);
            }
            foreach (TlsPreSharedKey[] offered in new[] { [key], Array.Empty<TlsPreSharedKey>() })
            {
                using var pair = new TlsPair(Client(retry ? TlsNamedGroup.Secp256r1 : TlsNamedGroup.X25519, offered), new TlsServerOptions(new KeyTable(other)) { Groups = [TlsNamedGroup.X25519] });
                pair.Run();
                Assert.Equal(TlsAlert.UnknownPskIdentity, pair.Server.Error!.Alert);
                Assert.Equal(TlsErrorKind.PeerAlerted, pair.Client.Error!.Kind);
            }
        }
    }

    [Fact]
    public void Another_secret_or_another_way_to_use_it_is_a_wrong_binder()
    {
        using TlsPreSharedKey key = Key("alice"), wrong = new("alice"u8, RandomNumberGenerator.GetBytes(32));
        using TlsPreSharedKey imported = Key("alice", imported: true), plain = new(imported.Identity, s_secret);
        using TlsPreSharedKey inOneRole = TlsPreSharedKey.Import("alice"u8, s_secret, context: "role"u8);
        foreach ((TlsPreSharedKey client, TlsPreSharedKey server) in new[] { (key, wrong), (imported, plain), (plain, imported) })
        {
            using var pair = new TlsPair(Client(TlsNamedGroup.X25519, client), new TlsServerOptions(new KeyTable(server)));
            pair.Run();
            Assert.Equal(TlsAlert.DecryptError, pair.Server.Error!.Alert);
            Assert.False(pair.Client.IsHandshakeComplete);
        }
        Assert.False(inOneRole.Identity.SequenceEqual(imported.Identity));
    }

    [Fact]
    public void A_key_of_another_hash_than_the_suites_is_left_alone()
    {
        using TlsPreSharedKey key = Key("alice", HashAlgorithmName.SHA384);
        var server = new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { PreSharedKeys = new KeyTable(key), CipherSuites = [TlsCipherSuite.Aes128GcmSha256] };
        using (var pair = new TlsPair(Client(TlsNamedGroup.X25519, key), server))
        {
            pair.Run();
            Assert.True(pair.Client.IsHandshakeComplete && pair.Client.PreSharedKeyIdentity.IsEmpty);
        }
        // Without a suite of its hash the client does not offer it at all.
        using var client = new ScriptedClient(new TlsClientOptions(TestCertificates.ServerName) { PreSharedKeys = [key], CipherSuites = [TlsCipherSuite.Aes128GcmSha256] });
        Assert.DoesNotContain(client.Hello().Extensions, extension => extension.Type == ExtensionType.PreSharedKey);
    }

    [Fact]
    public void A_session_goes_before_a_key_and_either_may_be_taken()
    {
        using TlsPreSharedKey key = Key("alice");
        var server = new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { PreSharedKeys = new KeyTable(key), TicketProtector = new TlsTicketKeyRing() };
        TlsSession session;
        using (var pair = new TlsPair(Client(TlsNamedGroup.X25519), server))
        {
            pair.Run();
            pair.ReadTickets();
            Assert.True(pair.Client.TryTakeSession(out session!));
        }
        using (var pair = new TlsPair(Client(TlsNamedGroup.X25519, session, key), server))
        {
            pair.Run();
            Assert.True(pair.Client.IsResumed && pair.Server.IsResumed);
            Assert.True(pair.Server.PreSharedKeyIdentity.IsEmpty);
        }
        using (var pair = new TlsPair(Client(TlsNamedGroup.X25519, session, key), new TlsServerOptions(new KeyTable(key))))
        {
            pair.Run();
            Assert.False(pair.Client.IsResumed);
            Assert.Equal(key.Identity, pair.Client.PreSharedKeyIdentity);
            Assert.Null(pair.Client.RemoteCertificate);
        }
        session.Dispose();
    }

    [Fact]
    public void A_certificate_request_has_no_place_beside_a_key()
    {
        using TlsPreSharedKey key = Key("alice");
        using var client = new TlsClient(Client(TlsNamedGroup.X25519, key));
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.Context.TakePreSharedKey(key, 0);
        server.AnswerHello(answer => answer.Set(ExtensionType.PreSharedKey, 0, 0));
        server.Send(ScriptedServer.EncryptedExtensions());
        server.Send(ScriptedPeer.Build(HandshakeType.CertificateRequest, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(TlsAlert.UnexpectedMessage, client.Error!.Alert);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("SHA256")]
    [InlineData("SHA384")]
    public void An_imported_key_is_what_RFC_9258_says(string? keyHash)
    {
        using TlsPreSharedKey key = TlsPreSharedKey.Import("id"u8, s_secret, HashAlgorithmName.SHA384, "ctx"u8, new HashAlgorithmName(keyHash));
        // RFC 9258 §5.1: the hash of the key that is imported, not the target's.
        var own = new HashAlgorithmName(keyHash ?? "SHA256");
        byte[] identity = [0, 2, .. "id"u8, 0, 3, .. "ctx"u8, 3, 4, 0, 2];
        Assert.Equal(identity, key.Identity);
        // struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel
        byte[] digest = CryptographicOperations.HashData(own, identity);
        byte[] info = [0, 48, 17, .. "tls13 derived psk"u8, (byte)digest.Length, .. digest];
        byte[] extracted = HKDF.Extract(own, s_secret);
        Assert.Equal(HKDF.Expand(own, extracted, 48, info), key.Key);
    }

    [Fact]
    public void Keys_that_are_too_short_and_identities_of_no_length_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new TlsPreSharedKey("a"u8, new byte[15]));
        Assert.Throws<ArgumentException>(() => new TlsPreSharedKey([], s_secret));
        Assert.Throws<ArgumentException>(() => new TlsPreSharedKey(new byte[TlsPreSharedKey.MaxIdentitySize + 1], s_secret));
        Assert.Throws<ArgumentException>(() => new TlsPreSharedKey("a"u8, s_secret, HashAlgorithmName.SHA512));
        Assert.Throws<ArgumentException>(() => TlsPreSharedKey.Import([], s_secret));
        Assert.Throws<ArgumentException>(() => TlsPreSharedKey.Import("a"u8, new byte[15]));
        Assert.Throws<ArgumentException>(() => TlsPreSharedKey.Import("a"u8, s_secret, default, new byte[TlsPreSharedKey.MaxIdentitySize]));
        using TlsPreSharedKey key = Key("alice");
        Assert.Throws<ArgumentException>(() => new TlsClientOptions("a.example") { PreSharedKeys = [key, key, key, key, key] });
        TlsPreSharedKey gone = Key("bob");
        gone.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ScriptedPeer.Drive(new TlsClient(Client(TlsNamedGroup.X25519, gone)), [], out _));
    }

    private static TlsPreSharedKey Key(string identity, HashAlgorithmName hash = default, bool imported = false)
    {
        byte[] name = System.Text.Encoding.ASCII.GetBytes(identity);
        return imported ? TlsPreSharedKey.Import(name, s_secret, hash) : new TlsPreSharedKey(name, s_secret, hash);
    }

    private static TlsClientOptions Client(TlsNamedGroup share, params TlsPreSharedKey[] keys) => Client(share, null, keys);

    private static TlsClientOptions Client(TlsNamedGroup share, TlsSession? session, params TlsPreSharedKey[] keys) => new(TestCertificates.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        Groups = share == TlsNamedGroup.X25519 ? [share] : [share, TlsNamedGroup.X25519],
        KeyShareGroups = [share],
        KeepSessions = true,
        Session = session,
        PreSharedKeys = keys,
    };
}
