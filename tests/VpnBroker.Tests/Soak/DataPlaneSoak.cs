using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Tests.Soak;

/// <summary>
/// Two sites of two lcores each, joined by ESP through a hostile network, with users who come and go: whatever happens, a packet arrives
/// once, unaltered, in order and at the right user, or is counted as dropped, and nothing is left behind. <c>eng/soak.sh</c> runs it long.
/// </summary>
[Collection(nameof(DataPlaneSoak))]
[CollectionDefinition(nameof(DataPlaneSoak), DisableParallelization = true)]
public sealed class DataPlaneSoak
{
    private const int UsersPerLcore = 40;
    private const double ProgressSeconds = 10;

    private readonly List<SoakUser> _users = [];
    private readonly List<SoakUser> _leaving = [];
    private readonly MemoryTrend _memory = new();

    [Fact]
    [Trait("Category", "Soak")]
    [Trait("Speed", "slow")]
    public async Task UsersComeAndGo_NothingIsLostUncountedOrMixedUp()
    {
        double seconds = Number("CRYPTOPLANE_SOAK_SECONDS", 30);
        ulong seed = (ulong)Number("CRYPTOPLANE_SOAK_SEED", Environment.TickCount & 0xFFFF);
        Say($"soak of {seconds} s, seed {seed} (CRYPTOPLANE_SOAK_SEED)");
        var random = new Random((int)seed);
        int[] ports = [FreePort.Udp(), FreePort.Udp()];
        using var relay = new EspRelay((int)seed, ports[0], ports[1]);
        SoakSite[] sites = [SoakSite.Start(0, ports[0], relay.Ports[0]), SoakSite.Start(1, ports[1], relay.Ports[1])];
        using var watch = new LcoreWatch();
        Assert.Equal(2 * SoakSite.Lcores, watch.Threads);
        using var wire = new SoakWire(seed);
        MakeUsers(wire, sites);
        _users.ForEach(user => user.Connect(slow: user.Index % 8 == 0));

        Run(seconds, random, wire, sites);
        ComeToRest(sites, relay);
        Say($"{wire.Sent} packets sent, {wire.Delivered} delivered, {wire.Attacks} attacks, {wire.Errors} ICMP errors, {wire.Connections} connections, "
            + $"{wire.KeyUpdates} KeyUpdates sent and {KeyUpdates(sites)} received, {relay.HostileTo(0) + relay.HostileTo(1)} hostile ESP packets, {sites[0].Late + sites[1].Late} packets late");
        foreach (SoakSite site in sites)
            site.AssertSumsAddUp(relay);
        Assert.True(wire.Delivered > 0 && wire.Attacks > 0 && wire.Errors > 0 && wire.KeyUpdates > 0 && KeyUpdates(sites) > 0, "something did not happen at all");
        EndAll(wire, sites);
        _memory.AssertFlat();
        Assert.Equal((0, 0), (watch.Exceptions, watch.Contentions));
        foreach (SoakSite site in sites)
            await site.Host.StopAsync(TimeSpan.FromSeconds(10)).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        _users.ForEach(user => user.Dispose());
    }

    private void MakeUsers(SoakWire wire, SoakSite[] sites)
    {
        int count = sites.Length * SoakSite.Lcores * UsersPerLcore;
        for (int i = 0; i < count; i++)
        {
            SoakSite site = sites[i % sites.Length];
            int lcore = i / sites.Length % SoakSite.Lcores;
            uint prefix = BinaryPrimitives.ReadUInt32BigEndian(PoolPartition.PrefixOf(site.Pool, lcore, SoakSite.Lcores).BaseAddress.GetAddressBytes());
            _users.Add(new SoakUser(wire, site, i, count, prefix + 10 + (uint)i, lcore));
        }
    }

    private void Run(double seconds, Random random, SoakWire wire, SoakSite[] sites)
    {
        long start = Stopwatch.GetTimestamp();
        double nextSample = 1, nextProgress = ProgressSeconds;
        long lastSent = 0, lastDelivered = 0;
        for (long turn = 0; ; turn++)
        {
            foreach (SoakUser user in _users)
                Live(user, turn, random);
            double now = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (now >= nextSample)
            {
                CheckEnded(sites);
                _memory.Sample();
                nextSample += 1;
            }
            if (now >= nextProgress)
            {
                Say(string.Create(CultureInfo.InvariantCulture,
                    $"{now,4:F0} s: {(wire.Sent - lastSent) / ProgressSeconds,7:F0} packets/s sent, {(wire.Delivered - lastDelivered) / ProgressSeconds,7:F0} delivered; {wire.Connections} connections; managed {_memory.Last.Managed >> 10} KiB, native {_memory.Last.Native >> 20} MiB"));
                Say("        drops: " + string.Join("; ", sites.Select(site => SoakSite.DropsText(site.Status()))));
                (lastSent, lastDelivered) = (wire.Sent, wire.Delivered);
                nextProgress += ProgressSeconds;
            }
            if (now >= seconds)
                return;
        }
    }

    /// <summary>What one user does in one turn.</summary>
    private void Live(SoakUser user, long turn, Random random)
    {
        if (_leaving.Contains(user))
        {
            if (user.Receive(_users, endExpected: true))
                return;
            _leaving.Remove(user);
            user.Close();
        }
        if (!user.IsOnline)
        {
            if (random.Next(40) == 0)
                user.Connect(random.Next(8) == 0);
            return;
        }
        user.Flush();
        if (turn >= user.SilentUntil)
            user.Receive(_users);
        if (user.CanSend && random.Next(4) == 0)
        {
            for (int count = random.Next(1, 12); count > 0; count--)
            {
                SoakUser to = _users[random.Next(_users.Count)];
                if (random.Next(40) == 0)
                    user.SendPoison(to, _users[(user.Index + 1 + random.Next(_users.Count - 1)) % _users.Count], random);
                else
                    user.SendGenuine(to);
                if (random.Next(200) == 0)
                    user.SendKeyUpdate(random.Next(2) == 0);
            }
            user.Flush();
        }
        ChangeLife(user, turn, user.IsUsedUp ? random.Next(5) : random.Next(4000), random);
    }

    private void ChangeLife(SoakUser user, long turn, int choice, Random random)
    {
        switch (choice)
        {
            case 0:
                user.Reset();
                break;
            case 1 or 2 when user.IsFlushed:
                user.Leave();
                _leaving.Add(user);
                break;
            case 3 when user.IsFlushed:
                user.SendGarbage(random);
                _leaving.Add(user);
                break;
            case 4:
                user.Connect(random.Next(8) == 0);
                break;
            case 5 or 6:
                user.SilentUntil = turn + random.Next(20, 200);
                break;
        }
    }

    /// <summary>Nobody sends any more, and everybody reads until each has what its tunnel says it was sent.</summary>
    private void ComeToRest(SoakSite[] sites, EspRelay relay)
    {
        Eventually.True(() =>
        {
            foreach (SoakUser user in _users.Where(user => user.IsOnline))
            {
                bool leaving = _leaving.Contains(user);
                if (!leaving)
                    user.Flush();
                if (!user.Receive(_users, leaving) && leaving)
                    user.Close();
            }
            return _users.All(user => !_leaving.Contains(user) || !user.IsOnline) && relay.IsIdle() && sites.All(IsAtRest) && relay.IsIdle();
        }, "all that was sent has arrived", TimeSpan.FromSeconds(60));
        foreach (SoakSite site in sites)
        {
            foreach (UserTunnelStatus tunnel in site.Status(tunnels: true).Tunnels)
                Assert.Equal(_users.Single(user => user.TunnelId == tunnel.TunnelId).WellFormed, tunnel.Traffic.ReceivedPackets);
        }
    }

    private bool IsAtRest(SoakSite site)
    {
        DataPlaneStatus status = site.Status(tunnels: true);
        return status.Lcores.All(lcore => lcore.PacketsHeld == 0 && lcore.ChunksHeld == 0) && status.Tunnels.All(tunnel =>
            _users.FirstOrDefault(user => user.TunnelId == tunnel.TunnelId) is { IsOnline: true, IsFlushed: true } user
                && user.WellFormed == tunnel.Traffic.ReceivedPackets && user.Received == tunnel.Traffic.SentPackets);
    }

    /// <summary>Half of the users leave politely, half are cut off; then nothing is left.</summary>
    private void EndAll(SoakWire wire, SoakSite[] sites)
    {
        foreach (SoakUser user in _users.Where(user => user.IsOnline))
        {
            if (user.Index % 2 == 0)
                user.Reset();
            else
                user.Leave();
        }
        Eventually.True(() => _users.Where(user => user.IsOnline).All(user => !user.Receive(_users, endExpected: true)), "the broker's ends of all connections");
        Eventually.True(
            () => sites.All(site => site.Status(tunnels: true) is { Tunnels.Count: 0 } status && status.Lcores.All(lcore => lcore is { Tunnels: 0, PacketsHeld: 0, ChunksHeld: 0 })),
            "no tunnel, buffer or chunk is held");
        CheckEnded(sites);
        Assert.Equal(wire.Connections, _ended);
    }

    private long _ended;

    private void CheckEnded(SoakSite[] sites)
    {
        foreach (SoakSite site in sites)
        {
            while (site.Ended.TryDequeue(out TunnelEnded ended))
            {
                _ended++;
                Assert.True(
                    ended.Reason is TunnelEndReason.ClientDisconnected or TunnelEndReason.ConnectionLost or TunnelEndReason.ProtocolError or TunnelEndReason.Replaced,
                    $"tunnel {ended.TunnelId} of user {ended.SessionId} ended with {ended.Reason}");
            }
        }
    }

    private static ulong KeyUpdates(SoakSite[] sites) => sites.SelectMany(site => site.Status().Lcores).Aggregate(0UL, (sum, lcore) => sum + lcore.KeyUpdates);

    private static double Number(string variable, double otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static void Say(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);
}
