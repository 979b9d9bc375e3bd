using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.KeySchedule;

/// <summary>RFC 8448 §4, "Resumed 0-RTT Handshake": its messages and secrets, typed in, behind those of §3.</summary>
public sealed class Rfc8448ResumptionTests
{
    private static readonly byte[] s_ticket = Hex.Parse("""
        2c 03 5d 82 93 59 ee 5f f7 af 4e c9 00 00 00 00 26 2a 64 94 dc 48 6d 2c 8a 34 cb 33 fa 90 bf 1b 00 70 ad 3c 49 88 83 c9
        36 7c 09 a2 be 78 5a bc 55 cd 22 60 97 a3 a9 82 11 72 83 f8 2a 03 a1 43 ef d3 ff 5d d3 6d 64 e8 61 be 7f d6 1d 28 27 db
        27 9c ce 14 50 77 d4 54 a3 66 4d 4e 6d a4 d2 9e e0 37 25 a6 a4 da fc d0 fc 67 d2 ae a7 05 29 51 3e 3d a2 67 7f a5 90 6c
        5b 3f 7d 8f 92 f2 28 bd a4 0d da 72 14 70 f9 fb f2 97 b5 ae a6 17 64 6f ac 5c 03 27 2e 97 07 27 c6 21 a7 91 41 ef 5f 7d
        e6 50 5e 5b fb c3 88 e9 33 43 69 40 93 93 4a e4 d3 57
        """);

    /// <summary>The NewSessionTicket of §3, whose early_data allows 1,024 bytes.</summary>
    private static readonly byte[] s_newSessionTicket =
        [.. Hex.Parse("04 00 00 c9 00 00 00 1e fa d6 aa c5 02 00 00 00 b2"), .. s_ticket, .. Hex.Parse("00 08 00 2a 00 04 00 00 04 00")];

    /// <summary>The ClientHello without its binders.</summary>
    private static readonly byte[] s_helloPrefix =
    [
        .. Hex.Parse("""
            01 00 01 fc 03 03 1b c3 ce b6 bb e3 9c ff 93 83 55 b5 a5 0a db 6d b2 1b 7a 6a f6 49 d7 b4 bc 41 9d 78 76 48 7d 95 00 00
            06 13 01 13 03 13 02 01 00 01 cd 00 00 00 0b 00 09 00 00 06 73 65 72 76 65 72 ff 01 00 01 00 00 0a 00 14 00 12 00 1d 00
            17 00 18 00 19 01 00 01 01 01 02 01 03 01 04 00 33 00 26 00 24 00 1d 00 20 e4 ff b6 8a c0 5f 8d 96 c9 9d a2 66 98 34 6c
            6b e1 64 82 ba dd da fe 05 1a 66 b4 f1 8d 66 8f 0b 00 2a 00 00 00 2b 00 03 02 03 04 00 0d 00 20 00 1e 04 03 05 03 06 03
            02 03 08 04 08 05 08 06 04 01 05 01 06 01 02 01 04 02 05 02 06 02 02 02 00 2d 00 02 01 01 00 1c 00 02 40 01 00 15 00 57
            """),
        .. new byte[0x57], .. Hex.Parse("00 29 00 dd 00 b8 00 b2"), .. s_ticket, .. Hex.Parse("fa d6 aa cb"),
    ];

    private static readonly byte[] s_binder = Hex.Parse("3a dd 4f b2 d8 fd f8 22 a0 ca 3c f7 67 8e f5 e8 8d ae 99 01 41 c5 92 4d 57 bb 6f a3 1b 9e 5f 9d");

    private static readonly byte[] s_hello = [.. s_helloPrefix, 0, 0x21, 0x20, .. s_binder];

    private static readonly byte[] s_serverHello = Hex.Parse("""
        02 00 00 5c 03 03 3c cf d2 de c8 90 22 27 63 47 2a e8 13 67 77 c9 d7 35 87 77 bb 66 e9 1e a5 12 24 95 f5 59 ea 2d 00 13
        01 00 00 34 00 29 00 02 00 00 00 33 00 24 00 1d 00 20 12 17 61 ee 42 c3 33 e1 b9 e7 7b 60 dd 57 c2 05 3c d9 45 12 ab 47
        f1 15 e8 6e ff 50 94 2c ea 31 00 2b 00 02 03 04
        """);

    private static readonly byte[] s_encryptedExtensions = Hex.Parse("""
        08 00 00 28 00 26 00 0a 00 14 00 12 00 1d 00 17 00 18 00 19 01 00 01 01 01 02 01 03 01 04 00 1c 00 02 40 01 00 00 00 00
        00 2a 00 00
        """);

    [Fact]
    public void The_tickets_key_comes_from_the_first_connection()
    {
        Assert.Null(NewSessionTicketMessage.Parse(s_newSessionTicket.AsSpan(4), out NewSessionTicketMessage ticket));
        Assert.Equal((30u, 0xFAD6AAC5, 1024u), (ticket.Lifetime, ticket.AgeAdd, ticket.MaxEarlyData));
        Assert.Equal(s_ticket, ticket.Ticket);
        Assert.Equal(Hex.Parse("4e cd 0e b6 ec 3b 4d 87 f5 d6 02 8f 92 2c a4 c5 85 1a 27 7f d4 13 11 c9 e6 2d 2c 94 92 e1 c4 f3"), PreSharedKey());

        using HandshakeSecret handshake = EarlySecret.WithoutPreSharedKey(TlsHash.Sha256).ToHandshakeSecret(Rfc8448Trace.SharedSecret);
        using MasterSecret master = handshake.ToMasterSecret();
        // exporter_master_secret of §3 is fe22f881…; an exporter over it must be that of RFC 8446 §7.5.
        byte[] secret = Hex.Parse("fe 22 f8 81 17 6e da 18 eb 8f 44 52 9e 67 92 c5 0c 9a 3f 89 45 2f 68 d8 ae 31 1b 43 09 d3 cf 50");
        using ExporterSecret exporter = master.DeriveExporter(Rfc8448Trace.HashToServerFinished);
        AssertExports(secret, exporter);
    }

    [Fact]
    public void The_binder_and_the_early_secrets_are_those_of_RFC_8448()
    {
        Assert.Equal(512, s_hello.Length);
        Assert.Null(ClientHello.Parse(s_hello.AsSpan(4), out ClientHello hello));
        Assert.True(hello.Extensions.Contains(ExtensionType.EarlyData));
        Assert.True(hello.Extensions.TryGet(ExtensionType.PreSharedKey, out ReadOnlySpan<byte> data));
        Assert.Null(PreSharedKeyExtension.Parse(data, out PreSharedKeyExtension.ClientOffers offers));
        Assert.Equal(0xFAD6AACB, offers.FirstObfuscatedAge);
        Assert.Equal(s_hello.Length - s_helloPrefix.Length, offers.BindersLength);

        using EarlySecret early = EarlySecret.Of(TlsHash.Sha256, PreSharedKey());
        using var transcript = new TranscriptHash();
        byte[] digest = new byte[48], binder = new byte[32];
        early.ComputeBinder(EarlySecret.TicketBinder, transcript.SnapshotForBinder(TlsHash.Sha256, s_helloPrefix, digest), binder);
        Assert.Equal(s_binder, binder);

        ReadOnlySpan<byte> helloHash = transcript.SnapshotForBinder(TlsHash.Sha256, s_hello, digest);
        Assert.Equal(Hex.Parse("08 ad 0f a0 5d 7c 72 33 b1 77 5b a2 ff 9f 4c 5b 8b 59 27 6b 7f 22 7f 13 a9 76 24 5f 5d 96 09 13"), helloHash);
        using TrafficSecret traffic = early.DeriveClientTraffic(helloHash);
        Assert.Equal(Hex.Parse("3f bb e6 a6 0d eb 66 c3 0a 32 79 5a ba 0e ff 7e aa 10 10 55 86 e7 be 5c 09 67 8d 63 b6 ca ab 62"), traffic.Value);
        AssertKeys(traffic, "92 02 05 a5 b7 bf 21 15 e6 fc 5c 29 42 83 4f 54", "6d 47 5f 09 93 c8 e5 64 61 0d b2 b9");
        using ExporterSecret exporter = early.DeriveExporter(helloHash);
        AssertExports(Hex.Parse("b2 02 68 66 61 09 37 d7 42 3e 5b e9 08 62 cc f2 4c 0e 60 91 18 6d 34 f8 12 08 9f f5 be 2e f7 df"), exporter);
    }

    [Fact]
    public void The_rest_of_the_handshake_is_that_of_RFC_8448()
    {
        byte[] digest = new byte[48], verifyData = new byte[32];
        using var transcript = new TranscriptHash();
        transcript.Select(TlsHash.Sha256);
        transcript.Append(s_hello);
        transcript.Append(s_serverHello);
        using HandshakeSecret handshake = EarlySecret.Of(TlsHash.Sha256, PreSharedKey())
            .ToHandshakeSecret(Hex.Parse("f4 41 94 75 6f f9 ec 9d 25 18 06 35 d6 6e a6 82 4c 6a b3 bf 17 99 77 be 37 f7 23 57 0e 7c cb 2e"));
        using TrafficSecret client = handshake.DeriveClientTraffic(transcript.Snapshot(digest));
        using TrafficSecret server = handshake.DeriveServerTraffic(transcript.Snapshot(digest));
        Assert.Equal(Hex.Parse("2f aa c0 8f 85 1d 35 fe a3 60 4f cb 4d e8 2d c6 2c 9b 16 4a 70 97 4d 04 62 e2 7f 1a b2 78 70 0f"), client.Value);
        Assert.Equal(Hex.Parse("fe 92 7a e2 71 31 2e 8b f0 27 5b 58 1c 54 ee f0 20 45 0d c4 ec ff aa 05 a1 a3 5d 27 51 8e 78 03"), server.Value);
        AssertKeys(client, "b1 53 08 06 f4 ad fe ac 83 f1 41 30 32 bb fa 82", "eb 50 c1 6b e7 65 4a bf 99 dd 06 d9");

        transcript.Append(s_encryptedExtensions);
        byte[] serverFinished = Hex.Parse("48 d3 e0 e1 b3 d9 07 c6 ac ff 14 5e 16 09 03 88 c7 7b 05 c0 50 b6 34 ab 1a 88 bb d0 dd 1a 34 b2");
        Assert.True(server.VerifyFinished(transcript.Snapshot(digest), serverFinished));
        transcript.Append(ScriptedPeer.Build(writer => FinishedMessage.Write(writer, serverFinished)));
        using MasterSecret master = handshake.ToMasterSecret();
        using TrafficSecret clientData = master.DeriveClientTraffic(transcript.Snapshot(digest));
        using TrafficSecret serverData = master.DeriveServerTraffic(transcript.Snapshot(digest));
        Assert.Equal(Hex.Parse("2a bb f2 b8 e3 81 d2 3d be be 1d d2 a7 d1 6a 8b f4 84 cb 49 50 d2 3f b7 fb 7f a8 54 70 62 d9 a1"), clientData.Value);
        Assert.Equal(Hex.Parse("cc 21 f1 bf 8f eb 7d d5 fa 50 5b d9 c4 b4 68 a9 98 4d 55 4a 99 3d c4 9e 6d 28 55 98 fb 67 26 91"), serverData.Value);
        using ExporterSecret exporter = master.DeriveExporter(transcript.Snapshot(digest));
        AssertExports(Hex.Parse("3f d9 3d 4f fd dc 98 e6 4b 14 dd 10 7a ed f8 ee 4a dd 23 f4 51 0f 58 a4 59 2d 0b 20 1b ee 56 b4"), exporter);

        // The EndOfEarlyData is a part of the transcript.
        transcript.Append(ScriptedPeer.Build(EndOfEarlyDataMessage.Write));
        client.ComputeFinished(transcript.Snapshot(digest), verifyData);
        Assert.Equal(Hex.Parse("72 30 a9 c9 52 c2 5c d6 13 8f c5 e6 62 83 08 c4 1c 53 35 dd 81 b9 f9 6b ce a5 0f d3 2b da 41 6d"), verifyData);
    }

    private static byte[] PreSharedKey()
    {
        byte[] digest = new byte[48], key = new byte[32];
        using var transcript = new TranscriptHash();
        transcript.Select(TlsHash.Sha256);
        foreach (byte[] message in new[] { Rfc8448Trace.ClientHello, Rfc8448Trace.ServerHello, Rfc8448Trace.ServerFlightBeforeFinished, Rfc8448Trace.ServerFinished, Rfc8448Trace.ClientFinished })
            transcript.Append(message);
        using HandshakeSecret handshake = EarlySecret.WithoutPreSharedKey(TlsHash.Sha256).ToHandshakeSecret(Rfc8448Trace.SharedSecret);
        using MasterSecret master = handshake.ToMasterSecret();
        using ResumptionSecret resumption = master.DeriveResumption(transcript.Snapshot(digest));
        resumption.DeriveTicketKey([0, 0], key);
        return key;
    }

    private static void AssertKeys(TrafficSecret secret, string key, string iv)
    {
        byte[] madeKey = new byte[16], madeIv = new byte[12];
        TrafficKeys.Derive(CipherSuiteParameters.Of(TlsCipherSuite.Aes128GcmSha256), secret.Value, madeKey, madeIv);
        Assert.Equal(Hex.Parse(key), madeKey);
        Assert.Equal(Hex.Parse(iv), madeIv);
    }

    /// <summary>What an exporter gives follows from its secret, which it does not show: RFC 8446 §7.5, step by step.</summary>
    private static void AssertExports(byte[] secret, ExporterSecret exporter)
    {
        byte[] made = new byte[20], expected = new byte[20], derived = new byte[32], digest = new byte[32];
        exporter.Export("label"u8, "context"u8, made);
        TlsHash.Sha256.HashData([], digest);
        Hkdf.DeriveSecret(TlsHash.Sha256, secret, "label"u8, digest, derived);
        TlsHash.Sha256.HashData("context"u8, digest);
        Hkdf.ExpandLabel(TlsHash.Sha256, derived, "exporter"u8, digest, expected);
        Assert.Equal(expected, made);
    }
}
