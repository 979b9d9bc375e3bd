using System.Net;
using CryptoPlane.Tls.Dtls;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Sessions;

namespace VpnBroker.Tests.Sessions;

/// <summary>Which DTLS hello begins a data channel: one that names a tunnel of now.</summary>
public sealed class DtlsOfferTests
{
    private static readonly IPEndPoint s_remote = new(IPAddress.Parse("192.0.2.1"), 4000);
    private static readonly ProfileConfig s_profile = new() { Pool = "p", SessionSeconds = 3600, ReconnectSeconds = 600 };
    private static readonly DtlsServerOptions s_options = new() { Identity = "psk"u8.ToArray() };

    private readonly RecordingDataPlane _dataPlane = new();
    private readonly SessionTable _table;
    private readonly Session _session;

    public DtlsOfferTests()
    {
        var config = new BrokerConfig
        {
            Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.77.0.0/24") }],
            Lcores = new LcoreConfig { Cpus = [-1] },
        };
        _table = new SessionTable(config, _dataPlane, TimeProvider.System);
        _session = _table.Create("alice", null, s_profile, s_remote, new LimitsConfig(), null, out _)!;
    }

    [Fact]
    public async Task An_offer_is_good_from_its_tunnel_on_until_the_next_one()
    {
        string first = _table.OfferDtls(_session, [1, 2, 3])!;
        Assert.Null(_table.BeginDtls(s_options, Hello(first), 0));
        await Attach(offersDtls: true);
        (DtlsServer Server, ulong TunnelId, string User) begun = _table.BeginDtls(s_options, Hello(first), 0)!.Value;
        Assert.Equal((1ul, "alice", DtlsCipherSuite.PskAes128GcmSha256), (begun.TunnelId, begun.User, begun.Server.NegotiatedCipherSuite));
        begun.Server.Dispose();
        Assert.Null(_table.BeginDtls(s_options, Hello(new string('a', 64)), 0));

        // The next CONNECT: neither its App-ID before its tunnel is there, nor the old one ever again.
        string second = _table.OfferDtls(_session, [4, 5, 6])!;
        Assert.NotEqual(first, second);
        Assert.Null(_table.BeginDtls(s_options, Hello(first), 0));
        Assert.Null(_table.BeginDtls(s_options, Hello(second), 0));
        await Attach(offersDtls: true);
        Assert.Equal(2ul, _table.BeginDtls(s_options, Hello(second), 0)!.Value.TunnelId);
    }

    [Fact]
    public async Task Without_a_tunnel_or_a_session_there_is_no_channel_and_the_key_is_erased()
    {
        byte[] psk = [1, 2, 3];
        string appId = _table.OfferDtls(_session, psk)!;
        await Attach(offersDtls: true);
        _dataPlane.End(1, TunnelEndReason.ConnectionLost);
        Assert.Null(_table.BeginDtls(s_options, Hello(appId), 0));
        _table.End(_session, TunnelEndReason.Administrator);
        Assert.Null(_table.BeginDtls(s_options, Hello(appId), 0));
        Assert.Null(_table.OfferDtls(_session, [1]));
        Assert.Equal(new byte[3], psk);
    }

    private async Task Attach(bool offersDtls)
    {
        AddressLease lease = _table.Lease(_session, "p")!;
        await _table.Attach(_session, s_remote, number => new UserTunnelRequest
        {
            TunnelId = number, SessionId = _session.Id, User = "alice", Lcore = 0, Socket = -1, TrafficStates = 0, Unread = [], InnerIPv4 = lease.IPv4,
            Mtu = 1400, DpdSeconds = 0, KeepaliveSeconds = 0, IdleSeconds = 0, UnsentBytes = 65536, OffersDtls = offersDtls,
        })!;
    }

    /// <summary>A hello with a session_id and one suite, that has passed the gate.</summary>
    private static DtlsClientHello Hello(string appId)
    {
        using var gate = new DtlsHelloGate();
        byte[] answer = new byte[DtlsHelloGate.AnswerSize];
        Assert.Equal(DtlsHelloStatus.SendAnswer, gate.Check(Datagram([]), [1], 0, answer, out _));
        Assert.Equal(DtlsHelloStatus.Accepted, gate.Check(Datagram(answer[28..]), [1], 0, answer, out DtlsClientHello? hello));
        return hello!;

        byte[] Datagram(byte[] cookie)
        {
            byte[] id = Convert.FromHexString(appId);
            byte[] body = [0xFE, 0xFD, .. new byte[32], (byte)id.Length, .. id, (byte)cookie.Length, .. cookie, 0, 2, 0x00, 0xA8, 1, 0];
            return [22, 0xFE, 0xFD, .. new byte[8], 0, (byte)(body.Length + 12), 1, 0, 0, (byte)body.Length, 0, 0, 0, 0, 0, 0, 0, (byte)body.Length, .. body];
        }
    }
}
