using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Tunnels;
using CryptoPlane.TestKit;
using CryptoPlane.Tls;
using CryptoPlane.Tls.KeySchedule;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>A user's connection: records in pieces, questions and answers, keys, time, and how it ends.</summary>
public sealed class ConnectionTests
{
    private static readonly byte[] s_packet = InnerPackets.Udp("10.8.0.10", "192.0.2.1", 700);

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256)]
    public void RecordsInPieces_AreOpenedWhenTheyAreWhole(TlsCipherSuite suite)
    {
        using var bed = new WorkerBed();
        var user = new TestUser(3, suite);
        TestUser client = bed.Connect("10.8.0.10", user: user);
        byte[] stream = [.. client.Seal(CstpType.Data, s_packet), .. client.Seal(CstpType.Data, s_packet), .. client.Seal(CstpType.Data, s_packet)];
        for (int i = 0; i < stream.Length; i++)
        {
            client.Send(stream.AsSpan(i, 1));
            bed.Poll();
        }
        Assert.Equal(3, bed.Tun.Outgoing.Count);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void UnreadBytesOfTheHandshake_ComeFirst()
    {
        using var bed = new WorkerBed();
        var user = new TestUser(3);
        byte[] stream = [.. user.Seal(CstpType.Data, s_packet), .. user.Seal(CstpType.Data, s_packet), .. user.Seal(CstpType.Data, s_packet)];
        user.Send(stream.AsSpan(1000));
        bed.Connect("10.8.0.10", user: user, unread: stream[..1000]);
        Assert.Equal(3, bed.Tun.Outgoing.Count);
    }

    [Fact]
    public void DeadPeerQuestion_IsAnsweredWithItsPayload()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        client.Send(client.Seal(CstpType.DpdRequest, "hello"u8));
        client.Send(client.Seal(CstpType.Keepalive, []));
        client.Send(client.Seal(CstpType.DpdResponse, []));
        client.Send(client.Seal(CstpType.DpdRequest, new byte[5000]));
        bed.Poll();
        client.Receive();
        Assert.Equal((CstpType.DpdResponse, "hello"), (client.Frames[0].Type, System.Text.Encoding.ASCII.GetString(client.Frames[0].Payload)));
        // A question that is longer than every packet may be is not worth an answer.
        Assert.Single(client.Frames);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void SilentPeer_IsAskedAndThenDead()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10", dpd: 10), lively = bed.Connect("10.8.0.11", dpd: 10);
        for (int i = 0; i < 8; i++)
        {
            bed.Pass(TimeSpan.FromSeconds(5));
            lively.Send(lively.Seal(CstpType.Keepalive, []));
        }
        client.Receive();
        lively.Receive();
        Assert.InRange(client.Frames.Count(frame => frame.Type == CstpType.DpdRequest), 1, 3);
        Assert.Equal(CstpType.Disconnect, client.Frames[^1].Type);
        Assert.Empty(lively.Frames);
        Assert.Equal(TunnelEndReason.DeadPeer, bed.EndOf(client));
        Assert.Equal(TunnelState.Open, bed.Tunnel(lively).State);
    }

    [Fact]
    public void Keepalives_FillSilence_AndIdleTimeEndsATunnel()
    {
        using var bed = new WorkerBed();
        TestUser quiet = bed.Connect("10.8.0.10", keepalive: 5), idle = bed.Connect("10.8.0.11", idle: 20);
        bed.Pass(TimeSpan.FromSeconds(30));
        quiet.Receive();
        idle.Receive();
        Assert.InRange(quiet.Frames.Count(frame => frame.Type == CstpType.Keepalive), 4, 6);
        Assert.Equal(CstpType.Disconnect, Assert.Single(idle.Frames).Type);
        Assert.Equal(TunnelEndReason.IdleTimeout, bed.EndOf(idle));
    }

    [Fact]
    public void Disconnect_EndsTheTunnelWithCloseNotify()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        client.Send([.. client.Seal(CstpType.Data, s_packet), .. client.Seal(CstpType.Disconnect, "\u00b0bye"u8), .. client.Seal(CstpType.Data, s_packet)]);
        bed.Poll();
        client.Receive();
        Assert.Single(bed.Tun.Outgoing);
        Assert.Equal(TunnelEndReason.ClientDisconnected, bed.EndOf(client));
        Assert.Equal(TlsAlert.CloseNotify, client.Alert);
        Assert.True(client.EndOfStream);
        Assert.Equal(0, bed.Counters.Tunnels);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void LostConnection_EndsTheTunnel()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        client.CloseSocket();
        bed.Poll();
        Assert.Equal(TunnelEndReason.ConnectionLost, bed.EndOf(client));
    }

    [Fact]
    public void Operator_EndsATunnelAndItsUserIsTold()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Detach, Slot = client.Slot, Value = 99, Reason = TunnelEndReason.Administrator });
        bed.Poll();
        Assert.Equal(TunnelState.Open, bed.Tunnel(client).State);
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Detach, Slot = client.Slot, Value = 1, Reason = TunnelEndReason.Administrator });
        // What the client sends meanwhile must not turn into a reset that overtakes the news.
        client.SendPacket(s_packet);
        bed.Poll();
        client.Receive();
        Assert.Equal(CstpType.Disconnect, Assert.Single(client.Frames).Type);
        Assert.Equal(TlsAlert.CloseNotify, client.Alert);
        Assert.Equal(TunnelState.Lingering, bed.Tunnel(client).State);
        client.CloseSocket();
        bed.Poll();
        Assert.Equal(TunnelEndReason.Administrator, bed.EndOf(client));
    }

    [Fact]
    public void ClientThatNeverCloses_IsWaitedForAMoment()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Detach, Slot = client.Slot, Value = 1, Reason = TunnelEndReason.Administrator });
        bed.Pass(TimeSpan.FromSeconds(4));
        Assert.Equal(TunnelEndReason.Administrator, bed.EndOf(client));
    }

    [Fact]
    public void NewConnection_TakesTheAddressWithoutALoss()
    {
        using var bed = new WorkerBed();
        TestUser before = bed.Connect("10.8.0.10");
        TestUser after = bed.Connect("10.8.0.10");
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp("192.0.2.1", "10.8.0.10"));
        bed.Poll();
        after.Receive();
        before.Receive();
        Assert.Single(after.Packets);
        Assert.Empty(before.Frames);
        Assert.Null(before.Alert);
        Assert.Equal(TunnelEndReason.Replaced, bed.EndOf(before));
        Assert.Equal(1, bed.Counters.Tunnels);
    }

    [Fact]
    public void Shutdown_TellsEverybody()
    {
        using var bed = new WorkerBed();
        TestUser[] clients = [.. Enumerable.Range(10, 40).Select(i => bed.Connect($"10.8.0.{i}"))];
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Shutdown });
        bed.Poll();
        foreach (TestUser client in clients)
        {
            client.Receive();
            Assert.Equal(CstpType.Disconnect, Assert.Single(client.Frames).Type);
            client.CloseSocket();
        }
        // The kernel reports forty closed connections over as many turns as it likes.
        Eventually.True(
            () =>
            {
                bed.Poll();
                return bed.Events.Exists(report => report.Kind == LcoreEventKind.ShutDown);
            },
            "the end of every connection");
        Assert.All(clients, client => Assert.Equal(TunnelEndReason.Shutdown, bed.EndOf(client)));
        bed.AssertNothingHeld();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void KeyUpdateInMidStream_IsObeyedAndAnswered(bool requested)
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        var stream = new List<byte>();
        for (int i = 0; i < 30; i++)
        {
            stream.AddRange(client.Seal(CstpType.Data, s_packet));
            if (i % 7 == 3)
                stream.AddRange(client.SealKeyUpdate(requested));
            bed.Tun.Incoming.Enqueue(InnerPackets.Udp("192.0.2.1", "10.8.0.10", 100 + i));
        }
        client.Send(stream.ToArray());
        bed.Poll();
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp("192.0.2.1", "10.8.0.10", 99));
        bed.Poll();
        client.Receive();
        Assert.Equal(30, bed.Tun.Outgoing.Count);
        Assert.Equal(31, client.Packets.Count);
        // Requests of one burst get one answer.
        Assert.Equal(requested ? 1ul : 0ul, bed.Counters.KeyUpdates);
        Assert.Equal(TunnelState.Open, bed.Tunnel(client).State);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void WhatIsNoTls_EndsTheTunnelWithAnAlert()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        client.SendPacket(s_packet);
        client.Send("GET / HTTP/1.1\r\n\r\n"u8);
        bed.Poll();
        client.Receive();
        Assert.Single(bed.Tun.Outgoing);
        Assert.Equal(TlsAlert.UnexpectedMessage, client.Alert);
        Assert.Equal(TunnelEndReason.ProtocolError, bed.EndOf(client));
    }

    [Fact]
    public void ForgedAndReplayedRecords_EndTheTunnelWithAnAlert()
    {
        using var bed = new WorkerBed();
        foreach (bool replay in (bool[])[false, true])
        {
            TestUser client = bed.Connect("10.8.0.10");
            byte[] record = client.Seal(CstpType.Data, s_packet);
            client.Send(record);
            byte[] bad = replay ? record : client.Seal(CstpType.Data, s_packet);
            if (!replay)
                bad[^1] ^= 1;
            client.Send([.. bad, .. client.Seal(CstpType.Data, s_packet)]);
            bed.Poll();
            client.Receive();
            Assert.Equal(TlsAlert.BadRecordMac, client.Alert);
            Assert.Equal(TunnelEndReason.ProtocolError, bed.EndOf(client));
        }
        Assert.Equal(2, bed.Tun.Outgoing.Count);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void TwoFramesInARecord_EndTheTunnel_AndUnknownTypesAreCounted()
    {
        using var bed = new WorkerBed();
        TestUser client = bed.Connect("10.8.0.10");
        byte[] frame = [0x53, 0x54, 0x46, 1, 0, 1, 7, 0, 42];
        byte[] unknown = [.. frame];
        unknown[6] = 77;
        byte[] compressed = [.. frame];
        compressed[6] = 8;
        client.Send([.. client.SealRaw(unknown), .. client.SealRaw(compressed), .. client.SealRaw(frame)]);
        bed.Poll();
        Assert.Equal(2ul, bed.Counters.Dropped(DropReason.FrameUnsupported));
        Assert.Equal(TunnelState.Open, bed.Tunnel(client).State);
        client.Send(client.SealRaw([.. frame, .. frame]));
        bed.Poll();
        Assert.Equal(1ul, bed.Counters.Dropped(DropReason.FrameMalformed));
        Assert.Equal(TunnelEndReason.ProtocolError, bed.EndOf(client));
    }

    [Fact]
    public void RandomFrames_NeitherBreakNorLeak()
    {
        using var bed = new WorkerBed();
        var random = new Random(99);
        byte[] good = [0x53, 0x54, 0x46, 1, (byte)(s_packet.Length >> 8), (byte)s_packet.Length, 0, 0, .. s_packet];
        TestUser? client = null;
        for (int i = 0; i < 5_000; i++)
        {
            client ??= bed.Connect("10.8.0.10", slot: i % 50);
            byte[] frame = good[..random.Next(1, good.Length + 1)];
            for (int change = random.Next(0, 4); change > 0; change--)
                frame[random.Next(Math.Min(frame.Length, 40))] = (byte)random.Next(256);
            client.Send(client.SealRaw(frame));
            bed.Poll();
            if (bed.Tunnel(client).State != TunnelState.Open)
            {
                client.CloseSocket();
                bed.Poll();
                client = null;
            }
        }
        Assert.True(bed.Counters.Dropped(DropReason.FrameMalformed) > 100);
        bed.AssertNothingHeld();
    }
}
