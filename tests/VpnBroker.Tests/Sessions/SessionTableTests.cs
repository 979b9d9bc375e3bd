using System.Net;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.OpenConnect.Strap;
using VpnBroker.Sessions;
using VpnBroker.Tests.OpenConnect.Strap;

namespace VpnBroker.Tests.Sessions;

public class SessionTableTests
{
    private static readonly IPEndPoint s_remote = new(IPAddress.Parse("192.0.2.1"), 4000);
    private static readonly ProfileConfig s_profile = new() { Pool = "p", SessionSeconds = 3600, ReconnectSeconds = 600 };

    private static readonly BrokerConfig s_config = new()
    {
        Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.77.0.0/29") }],
        Lcores = new LcoreConfig { Cpus = [-1, -1] },
        Tun = new TunConfig { Addresses = [new InterfaceAddress(IPAddress.Parse("10.77.0.1"), 29)] },
    };

    private readonly ManualClock _clock = new();
    private readonly RecordingDataPlane _dataPlane = new();
    private readonly List<TunnelEnded> _ended = [];
    private readonly SessionTable _table;

    public SessionTableTests() =>
        _table = new SessionTable(s_config, _dataPlane, _clock) { SessionEnded = (_, ended) => _ended.Add(ended) };

    [Fact]
    public void A_cookie_finds_its_session_until_it_is_ended()
    {
        Session session = LogIn("alice", out string cookie);
        Assert.Same(session, _table.Find(cookie));
        Assert.True(_table.End(session, TunnelEndReason.Administrator));
        Assert.Null(_table.Find(cookie));
        Assert.False(_table.End(session, TunnelEndReason.Administrator));
        Assert.Equal(TunnelEndReason.Administrator, Assert.Single(_ended).Reason);
    }

    [Fact]
    public void Whoever_asks_for_names_hears_of_a_session_before_its_number_leads_nowhere()
    {
        string? named = null;
        _table.Forgetting = session => named = _table.UserOf(session.Id);
        Session session = LogIn("alice", out _);
        Assert.True(_table.End(session, TunnelEndReason.Administrator));
        Assert.Equal("alice", named);
        Assert.Null(_table.UserOf(session.Id));
    }

    [Fact]
    public void A_session_of_IKEv2_has_its_addresses_at_once_and_frees_them_when_its_tunnel_is_closed()
    {
        List<(Session Session, TunnelEndReason Reason)> terminated = [];
        Session session = LogInByIke("alice", terminated)!;
        Assert.True(session.IsIke && session.Lease?.IPv4 is not null && session.TunnelId != 0);
        // Waiting for a reconnect is openconnect's: nothing of it ends this one.
        _clock.Advance(TimeSpan.FromSeconds(601));
        _table.Sweep();
        Assert.Empty(terminated);
        _table.Move(session, new IPEndPoint(IPAddress.Parse("192.0.2.9"), 4500));
        Assert.Equal("192.0.2.9:4500", Assert.Single(_table.List()).Remote.ToString());

        Assert.Equal(1, _table.EndUser("alice", TunnelEndReason.Administrator));
        Assert.Equal((session, TunnelEndReason.Administrator), Assert.Single(terminated));
        Assert.Equal(0, _table.Count);
        Assert.Empty(_ended);
        _table.Closed(new TunnelEnded(session.TunnelId, session.Id, TunnelEndReason.Administrator, 10, 20));
        Assert.Equal((session.Id, 10ul), (Assert.Single(_ended).SessionId, _ended[0].BytesFromUser));
        Assert.Empty(_dataPlane.Detached);

        // A client that is lost does not come again with this session.
        Session lost = LogInByIke("alice", terminated)!;
        _table.Closed(new TunnelEnded(lost.TunnelId, lost.Id, TunnelEndReason.DeadPeer, 0, 0));
        Assert.Equal(0, _table.Count);
    }

    [Fact]
    public void Sessions_of_IKEv2_and_openconnect_share_limits_and_addresses()
    {
        List<(Session Session, TunnelEndReason Reason)> terminated = [];
        Session old = LogIn("alice", out string cookie);
        Session phone = LogInByIke("alice", terminated, new LimitsConfig { SessionsPerUser = 1 })!;
        Assert.Null(_table.Find(cookie));
        Assert.Equal(TunnelEndReason.Replaced, Assert.Single(_ended).Reason);
        Assert.Equal(old.Id, _ended[0].SessionId);
        Session laptop = LogInByIke("alice", terminated, new LimitsConfig { SessionsPerUser = 1 })!;
        Assert.Equal((phone, TunnelEndReason.Replaced), Assert.Single(terminated));
        Assert.NotEqual(phone.Lease!.IPv4, laptop.Lease!.IPv4);

        Assert.Null(_table.CreateIke("bob", [], null, s_profile, s_remote, new LimitsConfig { Sessions = 1 }, (_, _) => { }, out string refusal));
        Assert.Equal("too many sessions", refusal);
        int count = _table.Count;
        while (LogInByIke("bob", terminated, new LimitsConfig { SessionsPerUser = 100 }) is not null)
            count++;
        Assert.Null(_table.CreateIke("bob", [], null, s_profile, s_remote, new LimitsConfig { SessionsPerUser = 100 }, (_, _) => { }, out refusal));
        Assert.Equal("no address is free", refusal);
        Assert.Equal(count, _table.Count);
    }

    private Session? LogInByIke(string user, List<(Session, TunnelEndReason)> terminated, LimitsConfig? limits = null) =>
        _table.CreateIke(user, ["staff"], null, s_profile, s_remote, limits ?? new LimitsConfig(), (session, reason) => terminated.Add((session, reason)), out _);

    [Fact]
    public void A_cookie_expires_with_the_session_and_without_a_reconnect()
    {
        LogIn("alice", out string waiting);
        _clock.Advance(TimeSpan.FromSeconds(599));
        Assert.NotNull(_table.Find(waiting));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_table.Find(waiting));

        Session session = LogIn("bob", out string connected);
        Attach(session);
        _clock.Advance(TimeSpan.FromSeconds(3599));
        Assert.NotNull(_table.Find(connected));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_table.Find(connected));
        _table.Sweep();
        Assert.Equal(0, _table.Count);
        Assert.Contains((session.Id, TunnelEndReason.SessionTimeout), _ended.Select(ended => (ended.SessionId, ended.Reason)));
        Assert.Equal(TunnelEndReason.SessionTimeout, Assert.Single(_dataPlane.Detached).Reason);
    }

    [Fact]
    public void A_reconnect_has_the_same_address_and_replaces_the_tunnel()
    {
        Session session = LogIn("alice", out string cookie);
        AddressLease lease = Attach(session);
        ulong first = session.TunnelId;
        Assert.Same(lease, Attach(_table.Find(cookie)!));
        Assert.NotEqual(first, session.TunnelId);
        Assert.Empty(_ended);

        _dataPlane.End(session.TunnelId, TunnelEndReason.ConnectionLost);
        Assert.Equal(0ul, session.TunnelId);
        _clock.Advance(TimeSpan.FromSeconds(500));
        Assert.Equal(lease.IPv4, Attach(_table.Find(cookie)!).IPv4);
    }

    [Theory]
    [InlineData(TunnelEndReason.ClientDisconnected)]
    [InlineData(TunnelEndReason.IdleTimeout)]
    [InlineData(TunnelEndReason.Shutdown)]
    public void A_tunnel_that_ended_for_good_ends_the_session_and_frees_the_address(TunnelEndReason reason)
    {
        Session session = LogIn("alice", out string cookie);
        Attach(session);
        _dataPlane.End(session.TunnelId, reason);
        Assert.Null(_table.Find(cookie));
        Assert.Equal(reason, Assert.Single(_ended).Reason);
        Assert.Equal(5, Enumerable.Range(0, 6).Count(i => _table.Lease(LogIn($"user{i}", out _), "p") is not null));
    }

    [Fact]
    public void Addresses_are_given_out_by_turns_of_the_lcores_and_end()
    {
        // 10.77.0.0/29 for two lcores: .0 to .3 and .4 to .7; .0, .7 and the TUN's own .1 are not given out.
        List<AddressLease?> leases = [.. Enumerable.Range(0, 6).Select(i => _table.Lease(LogIn($"user{i}", out _), "p"))];
        Assert.Equal([0, 1, 0, 1, 1], leases.OfType<AddressLease>().Select(lease => lease.Lcore));
        Assert.Equal(["10.77.0.2", "10.77.0.4", "10.77.0.3", "10.77.0.5", "10.77.0.6"], leases.OfType<AddressLease>().Select(lease => lease.IPv4!.ToString()));
        Assert.Null(leases[^1]);
    }

    [Fact]
    public void Sessions_are_bounded_in_all_and_per_user()
    {
        var limits = new LimitsConfig { Sessions = 3, SessionsPerUser = 2 };
        Session first = _table.Create("alice", null, s_profile, s_remote, limits, key: null, out string cookie)!;
        Assert.NotNull(_table.Create("alice", null, s_profile, s_remote, limits, key: null, out _));
        Assert.NotNull(_table.Create("alice", null, s_profile, s_remote, limits, key: null, out _));
        Assert.Null(_table.Find(cookie));
        Assert.True(first.Id == Assert.Single(_ended).SessionId);
        Assert.NotNull(_table.Create("bob", null, s_profile, s_remote, limits, key: null, out _));
        Assert.Null(_table.Create("carol", null, s_profile, s_remote, limits, key: null, out _));
        Assert.Equal(3, _table.Count);
    }

    [Fact]
    public void A_user_is_disconnected_with_all_sessions()
    {
        Attach(LogIn("alice", out _));
        LogIn("alice", out _);
        Attach(LogIn("bob", out string bob));
        Assert.Equal(2, _table.EndUser("alice", TunnelEndReason.Administrator));
        Assert.Equal(0, _table.EndUser("alice", TunnelEndReason.Administrator));
        Assert.NotNull(_table.Find(bob));
        Assert.Equal(["bob"], _table.List().Select(session => session.User));
    }

    [Fact]
    public async Task A_tunnel_that_its_lcore_refuses_leaves_the_session_waiting_for_a_reconnect()
    {
        Session session = LogIn("alice", out string cookie);
        _table.Lease(session, "p");
        _dataPlane.Refuse = true;
        await Assert.ThrowsAsync<InvalidOperationException>(() => _table.Attach(session, s_remote, number => Request(session, number))!);
        Assert.Equal(0ul, session.TunnelId);
        Assert.NotNull(_table.Find(cookie));
    }

    [Fact]
    public async Task A_reconnect_that_is_refused_ends_the_tunnel_that_it_was_to_replace()
    {
        Session session = LogIn("alice", out string cookie);
        Attach(session);
        ulong first = session.TunnelId;
        _dataPlane.Refuse = true;
        await Assert.ThrowsAsync<InvalidOperationException>(() => _table.Attach(session, s_remote, number => Request(session, number))!);
        // Else it would go on without a session, out of reach of an operator, on an address that is given to somebody else.
        Assert.Equal((first, TunnelEndReason.Replaced), Assert.Single(_dataPlane.Detached));
        Assert.Equal(0ul, session.TunnelId);
        _dataPlane.Refuse = false;
        Assert.Same(session, _table.Find(cookie));
        Attach(session);
        Assert.NotEqual(0ul, session.TunnelId);
    }

    [Fact]
    public void The_address_of_the_log_in_stays_when_a_tunnel_comes_from_elsewhere()
    {
        Session session = LogIn("alice", out _);
        _table.Lease(session, "p");
        var elsewhere = new IPEndPoint(IPAddress.Parse("192.0.2.9"), 5);
        _ = _table.Attach(session, elsewhere, number => Request(session, number));
        Assert.Equal((s_remote.Address, elsewhere), (session.LoginAddress, session.Remote));
    }

    [Fact]
    public void A_key_hands_over_once()
    {
        using var signer = new StrapSigner();
        StrapKey first = StrapKey.TryParse(signer.PublicKey)!, second = StrapKey.TryParse(signer.PublicKey)!;
        Session session = _table.Create("alice", null, s_profile, s_remote, new LimitsConfig(), first, out _)!;
        Assert.True(_table.ReplaceKey(session, first, second));
        Assert.False(_table.ReplaceKey(session, first, first));
        Assert.Same(second, session.StrapKey);
    }

    [Fact]
    public void An_ended_session_hands_nothing_over()
    {
        Session session = LogIn("alice", out _);
        _table.Lease(session, "p");
        _table.End(session, TunnelEndReason.Administrator);
        Assert.Null(_table.Attach(session, s_remote, _ => throw new InvalidOperationException("must not be called")));
        Assert.Null(_table.Lease(session, "p"));
    }

    [Fact]
    public void Random_lives_of_sessions_leak_no_address()
    {
        var random = new Random(5);
        var alive = new List<(Session Session, string Cookie)>();
        for (int i = 0; i < 20_000; i++)
        {
            switch (random.Next(5))
            {
                case 0 when alive.Count < 5:
                    Session made = LogIn($"user{random.Next(3)}", out string cookie);
                    alive.Add((made, cookie));
                    break;
                case 1 when alive.Count != 0:
                    (Session session, _) = alive[random.Next(alive.Count)];
                    Assert.NotNull(_table.Lease(session, "p"));
                    _ = _table.Attach(session, s_remote, number => Request(session, number));
                    break;
                case 2 when alive.Count != 0:
                    _dataPlane.End(alive[random.Next(alive.Count)].Session.TunnelId, (TunnelEndReason)random.Next(9));
                    break;
                case 3 when alive.Count != 0:
                    _table.End(alive[random.Next(alive.Count)].Session, TunnelEndReason.Administrator);
                    break;
                default:
                    _clock.Advance(TimeSpan.FromSeconds(random.Next(100)));
                    _table.Sweep();
                    break;
            }
            alive.RemoveAll(entry => _table.Find(entry.Cookie) is null);
            Assert.Equal(alive.Count, _table.Count);
            AddressLease[] leases = [.. _table.List().Select(session => session.Lease).OfType<AddressLease>()];
            Assert.Equal(leases.Length, leases.Select(lease => lease.IPv4).Distinct().Count());
        }
    }

    private Session LogIn(string user, out string cookie) =>
        _table.Create(user, null, s_profile, s_remote, new LimitsConfig(), key: null, out cookie)!;

    private AddressLease Attach(Session session)
    {
        AddressLease lease = _table.Lease(session, "p")!;
        Assert.True(_table.Attach(session, s_remote, number => Request(session, number))!.IsCompletedSuccessfully);
        return lease;
    }

    private static UserTunnelRequest Request(Session session, ulong number) => new()
    {
        TunnelId = number,
        SessionId = session.Id,
        User = session.User,
        Lcore = session.Lease!.Lcore,
        Socket = -1,
        TrafficStates = 0,
        Unread = [],
        InnerIPv4 = session.Lease.IPv4,
        Mtu = 1400,
        DpdSeconds = 0,
        KeepaliveSeconds = 0,
        IdleSeconds = 0,
        UnsentBytes = 1,
    };
}
