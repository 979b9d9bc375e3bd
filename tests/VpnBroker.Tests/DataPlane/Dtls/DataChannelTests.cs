using System.Net;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ports;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Dtls;

/// <summary>Data by DTLS and by TLS: which way it goes, when it changes, and what of a hostile network changes nothing.</summary>
public sealed unsafe class DataChannelTests : IDisposable
{
    private static readonly byte[] s_up = InnerPackets.Udp("10.8.0.10", "192.0.2.1", 700), s_down = InnerPackets.Udp("192.0.2.1", "10.8.0.10", 300);

    private readonly WorkerBed _bed;
    private readonly TestUser _user;
    private readonly DtlsClient _client;
    private readonly DatagramPort _port;

    public DataChannelTests()
    {
        _bed = NewBed(0, out DatagramPort port);
        _port = port;
        _user = _bed.Connect("10.8.0.10", dpd: 30);
        _client = new DtlsClient(_bed, port, _user);
    }

    public void Dispose()
    {
        _client.Dispose();
        _bed.Dispose();
    }

    [Fact]
    public void Data_goes_by_TLS_until_the_client_is_heard_by_DTLS()
    {
        Assert.True(_client.Attach(1));
        Down();
        Assert.Empty(_client.Receive());
        Assert.Single(ByTls());
        _client.Send(_client.Seal(CstpType.Data, s_up));
        Assert.Equal(ForwardingTests.OneHopLess(s_up), Assert.Single(_bed.Tun.Outgoing));
        Down();
        AssertOne(CstpType.Data, ForwardingTests.OneHopLess(s_down));
        Assert.Empty(ByTls());
        Assert.Equal((1, 1ul), (_bed.Counters.Dtls.Channels, _bed.Counters.Dtls.Begun));
        Assert.Equal(((ulong)s_up.Length, 2ul * (ulong)s_down.Length), (_bed.Counters.Users.ReceivedBytes, _bed.Counters.Users.SentBytes));
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void Questions_are_answered_by_DTLS_with_what_they_carried()
    {
        Up();
        byte[] padding = [.. Enumerable.Range(0, 1400).Select(i => (byte)i)];
        _client.Send(_client.Seal(CstpType.DpdRequest, padding));
        _client.Send(_client.Seal(CstpType.Keepalive, []));
        _client.Send(_client.Seal(CstpType.DpdResponse, []));
        AssertOne(CstpType.DpdResponse, padding);
        Assert.Empty(ByTls());
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void Records_in_one_datagram_are_all_taken()
    {
        Up();
        byte[] packet = InnerPackets.Udp("10.8.0.10", "192.0.2.1", 300);
        _client.Send([.. _client.Seal(CstpType.Data, packet), .. _client.Seal(CstpType.Data, packet), .. _client.Seal(CstpType.Data, packet), 23]);
        Assert.Equal(3, _bed.Tun.Outgoing.Count);
        Assert.Equal(1ul, _bed.Counters.Dropped(DropReason.DtlsMalformed));
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void A_silent_client_gets_its_data_by_TLS_and_by_DTLS_again_when_it_is_heard()
    {
        Up();
        _bed.Pass(TimeSpan.FromSeconds(1));
        Down();
        Assert.Single(_client.Receive());
        // Nothing comes back by DTLS: probes, and then the other way. The connection is as it was.
        _bed.Pass(TimeSpan.FromSeconds(10));
        Assert.Contains(_client.Receive(), frame => frame.Type == CstpType.DpdRequest);
        Assert.False(_client.IsUp);
        Down();
        Assert.Single(ByTls());
        Assert.Equal(1ul, _bed.Counters.Dtls.Fallbacks);
        _bed.Pass(TimeSpan.FromSeconds(15));
        Assert.Contains(_client.Receive(), frame => frame.Type == CstpType.DpdRequest);
        _client.Send(_client.Seal(CstpType.DpdResponse, []));
        Down();
        Assert.Single(_client.Receive());
        Assert.Empty(ByTls());
    }

    [Fact]
    public void A_client_that_went_back_to_TLS_is_followed_at_once()
    {
        Up();
        _user.SendPacket(s_up);
        _bed.Poll();
        // Its DTLS was heard just now: this packet may have been on its way before.
        Assert.True(_client.IsUp);
        _bed.Pass(TimeSpan.FromSeconds(2.1));
        _user.SendPacket(s_up);
        _bed.Poll();
        Assert.False(_client.IsUp);
        Assert.Equal(1ul, _bed.Counters.Dtls.Fallbacks);
    }

    [Fact]
    public void Nobody_who_has_no_keys_changes_anything()
    {
        Up();
        byte[] good = _client.Seal(CstpType.Data, s_up);
        byte[] forged = _client.Seal(CstpType.Data, s_up), epoch = [.. good];
        forged[^1] ^= 1;
        epoch[4] = 2;
        _client.Send(good);
        foreach (byte[] datagram in new[] { forged, good, epoch, [], [1, 2, 3], [.. Enumerable.Repeat((byte)22, 60)] })
            _client.Send(datagram);
        PacketEndpoint own = _client.Address;
        _client.Address = Endpoint("203.0.113.9", 40001);
        _client.Send(_client.Seal(CstpType.Data, s_up));
        _client.Address = own;
        Assert.Equal((1ul, 1ul, 1ul, 3ul, 1ul), (
            _bed.Counters.Dropped(DropReason.DtlsForged), _bed.Counters.Dropped(DropReason.DtlsReplayed), _bed.Counters.Dropped(DropReason.DtlsWrongEpoch),
            _bed.Counters.Dropped(DropReason.DtlsMalformed), _bed.Counters.Dropped(DropReason.DtlsUnknownPeer)));
        Assert.True(_client.IsUp);
        _client.Send(_client.Seal(CstpType.Data, s_up));
        Assert.Equal(2, _bed.Tun.Outgoing.Count);
        Assert.Equal(0ul, _bed.Counters.Dtls.Moved);
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void A_client_whose_NAT_gave_it_another_port_is_followed_by_its_newest_record_only()
    {
        Up();
        byte[] older = _client.Seal(CstpType.Data, s_up), forged = _client.Seal(CstpType.Data, s_up);
        forged[^1] ^= 1;
        _client.Send(_client.Seal(CstpType.Data, s_up));
        PacketEndpoint before = _client.Address;
        _client.Address = Endpoint("198.51.100.7", 50505);
        _client.Send(older);
        _client.Send(forged);
        _client.Address = before;
        Down();
        Assert.Single(_client.Receive());
        _client.Address = Endpoint("198.51.100.7", 50505);
        _client.Send(_client.Seal(CstpType.Data, s_up));
        Down();
        Assert.Single(_client.Receive());
        Assert.Equal(1ul, _bed.Counters.Dtls.Moved);
        Assert.Single(_bed.Events, report => report.Kind == LcoreEventKind.DtlsMoved && (ulong)report.Pointer == DtlsPeers.KeyOf(_client.Address));
        Assert.Equal(2, _bed.Context.DtlsPeers!.Count);
        _bed.AssertNothingHeld();
    }

    [Theory]
    [InlineData(TlsContentType.Alert, new byte[] { 1, 0 }, false)]
    [InlineData(TlsContentType.Alert, new byte[] { 2, 40 }, false)]
    [InlineData(TlsContentType.ApplicationData, new byte[] { 5, 0 }, false)]
    [InlineData(TlsContentType.Handshake, new byte[] { 20, 0, 0, 0 }, true)]
    [InlineData(TlsContentType.ApplicationData, new byte[] { 8, 1 }, true)]
    public void The_channel_may_end_and_the_tunnel_goes_on(TlsContentType type, byte[] content, bool staysUp)
    {
        Up();
        _client.Send(_client.SealRaw(type, content));
        Assert.Equal(staysUp, _client.IsUp);
        _client.Receive();
        Down();
        Assert.Equal(staysUp ? 0 : 1, ByTls().Count);
        Assert.Equal(staysUp ? 2 : 0, _bed.Context.DtlsPeers!.Count);
        // A new handshake brings it back.
        Assert.True(_client.Attach(2));
        _client.Send(_client.Seal(CstpType.Keepalive, []));
        Assert.True(_client.IsUp);
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void New_keys_take_the_place_of_the_old_ones()
    {
        Up();
        byte[] old = _client.Seal(CstpType.Data, s_up);
        _client.Address = Endpoint("198.51.100.7", 41000);
        Assert.True(_client.Attach(2));
        _client.Send(old);
        Assert.Equal(1ul, _bed.Counters.Dropped(DropReason.DtlsForged));
        _client.Send(_client.Seal(CstpType.Data, s_up));
        Assert.Single(_bed.Tun.Outgoing);
        Assert.Equal((1, 2ul, 2), (_bed.Counters.Dtls.Channels, _bed.Counters.Dtls.Begun, _bed.Context.DtlsPeers!.Count));
    }

    [Fact]
    public void A_tunnel_that_ends_takes_its_channel_along()
    {
        Up();
        _bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Detach, Slot = _user.Slot, Value = 1, Reason = TunnelEndReason.Administrator });
        _bed.Poll();
        _client.Send(_client.Seal(CstpType.Data, s_up));
        _user.Receive();
        Assert.Contains(_user.Frames, frame => frame.Type == CstpType.Disconnect);
        _user.CloseSocket();
        _bed.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal((0, 0), (_bed.Context.DtlsPeers!.Count, _bed.Counters.Dtls.Channels));
        Assert.False(_client.Attach(2));
        Assert.Empty(_bed.Tun.Outgoing);
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void Keys_for_a_tunnel_that_is_gone_are_not_taken()
    {
        Assert.False(_client.Attach(1, tunnelId: 99));
        Assert.Equal(0, _bed.Context.DtlsPeers!.Count);
    }

    [Fact]
    public void What_arrives_at_another_lcore_is_handed_over_once_and_counted()
    {
        using WorkerBed other = NewBed(1, out DatagramPort port);
        using var rings = new TwoLcoresTests.Rings(_bed, other);
        Up();
        Announce(other, isThere: true);
        port.Incoming.Enqueue((_client.Address, _client.Seal(CstpType.Data, s_up)));
        // From another port of the same host as well: home knows whose it is.
        PacketEndpoint moved = Endpoint("198.51.100.7", 42424);
        port.Incoming.Enqueue((moved, _client.Seal(CstpType.Data, s_up)));
        other.Poll();
        _bed.Poll();
        Assert.Equal(2, _bed.Tun.Outgoing.Count);
        Assert.Equal((2ul, 2ul, 1ul), (other.Counters.HandedOver, _bed.Counters.TakenOver, _bed.Counters.Dtls.Moved));
        Announce(other, isThere: false);
        port.Incoming.Enqueue((_client.Address, _client.Seal(CstpType.Data, s_up)));
        other.Poll();
        Assert.Equal(1ul, other.Counters.Dropped(DropReason.DtlsUnknownPeer));
        other.AssertNothingHeld();
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void What_the_socket_does_not_take_is_dropped_in_its_session()
    {
        Up();
        _port.Room = 2;
        for (int i = 0; i < 5; i++)
            _bed.Tun.Incoming.Enqueue(s_down);
        _bed.Poll();
        Assert.Equal((3ul, 3ul), (_bed.Counters.Dropped(DropReason.DtlsFull), _bed.Tunnel(_user).Drops));
        SessionState session = *_bed.Context.Flows!.Table.State(0);
        Assert.Equal((2ul, 2ul * (ulong)s_down.Length), (session.ForwardPackets, session.ForwardOctets));
        Assert.Equal((3u, (ushort)DropReason.DtlsFull), (session.ForwardDrops, session.FirstDropReason));
        _bed.AssertNothingHeld();
    }

    private static WorkerBed NewBed(int index, out DatagramPort port)
    {
        DatagramPort? made = null;
        TestPort? tun = null;
        var bed = new WorkerBed(index, new LcoreSizes { Tunnels = 64, Packets = 2048, UnsentChunks = 2048, PartialChunks = 1024, DtlsClients = 16 }, pool => new LcorePorts
        {
            Tun = new WatchedPort(tun = new TestPort(pool), -1), Dtls = [new WatchedPort(made = new DatagramPort(pool), -1)],
        });
        bed.Tun = tun!;
        port = made!;
        return bed;
    }

    private static PacketEndpoint Endpoint(string address, int port) => PacketEndpoint.From(new IPEndPoint(IPAddress.Parse(address), port));

    private void AssertOne(CstpType type, byte[] payload)
    {
        (CstpType Type, byte[] Payload) frame = Assert.Single(_client.Receive());
        Assert.Equal(type, frame.Type);
        Assert.Equal(payload, frame.Payload);
    }

    private void Announce(WorkerBed other, bool isThere)
    {
        PacketEndpoint first = Endpoint("198.51.100.7", 40001);
        other.Post(new LcoreMessage
        {
            Kind = LcoreMessageKind.DtlsPeer, Slot = 0, Length = isThere ? 1 : 0, Value = DtlsPeers.KeyOf(first), Pointer = (nint)DtlsPeers.HostKeyOf(first),
        });
        other.Poll();
    }

    /// <summary>A channel that works.</summary>
    private void Up()
    {
        Assert.True(_client.Attach(1));
        _client.Send(_client.Seal(CstpType.Keepalive, []));
        Assert.True(_client.IsUp);
    }

    /// <summary>A packet for the user.</summary>
    private void Down()
    {
        _bed.Tun.Incoming.Enqueue(s_down);
        _bed.Poll();
    }

    /// <summary>Data that has come by TLS since the last call.</summary>
    private List<byte[]> ByTls()
    {
        _user.Receive();
        List<byte[]> packets = _user.Packets;
        _user.Frames.Clear();
        return packets;
    }
}
