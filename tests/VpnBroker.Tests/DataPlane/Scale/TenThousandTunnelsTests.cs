using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.TestKit;
using CryptoPlane.Tls;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Status;
using VpnBroker.Tests.DataPlane.Pipeline;
using VpnBroker.Tests.Hosting;

namespace VpnBroker.Tests.DataPlane.Scale;

/// <summary>Ten thousand tunnels on two lcores, some of them busy, while others log in over TLS.</summary>
[Collection(nameof(TenThousandTunnelsTests))]
[CollectionDefinition(nameof(TenThousandTunnelsTests), DisableParallelization = true)]
public sealed partial class TenThousandTunnelsTests
{
    private const ulong FirstTunnelId = 1_000_000;
    private const int Tunnels = 10_000;
    private const int Busy = 50;
    private const int LogIns = 100;
    private const int AttachedAtOnce = 50;
    private const int Rounds = 5;
    private const double MostPauseMilliseconds = 2;

    [Fact]
    [Trait("Process", "own")]
    public async Task GarbageCollections_CostLessThanTwoMilliseconds()
    {
        Requirement.That(TryAllowFiles(Tunnels + 2000), $"{Tunnels + 2000} open files: raise the hard limit (ulimit -Hn)");
        DataPlaneHost? host = null;
        await using BrokerFixture fixture = await BrokerFixture.StartAsync(
            "limits: {attemptsPerAddress: 1000, halfOpenPerAddress: 100, sessionsPerUser: 250, sessions: 20000}\nlcores: {count: 2}",
            "{name: crowd, ipv4: 10.64.0.0/16}",
            (config, ranges, loggers) => host = DataPlaneHost.Start(config, ranges, loggers));
        Action<TunnelEnded>? control = host!.TunnelEnded;
        // The control plane knows only the tunnels that it made.
        host.TunnelEnded = ended =>
        {
            if (ended.TunnelId < FirstTunnelId)
                control?.Invoke(ended);
        };

        using var peers = new QuietPeers();
        await AttachIdleAsync(host, peers);
        TestUser[] busy = await AttachBusyAsync(host);

        using var stop = new CancellationTokenSource();
        Task traffic = Task.Run(() => Talk(busy, stop.Token), TestContext.Current.CancellationToken);
        double cheapest = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            LogIn(fixture);
            cheapest = Math.Min(cheapest, CostOfCollection());
        }
        await stop.CancelAsync();
        await traffic;

        StatusReport status = await fixture.Broker.GetStatusAsync(users: false);
        DataPlaneStatus lcores = await host.GetStatusAsync(includeTunnels: false);
        Assert.InRange(lcores.Lcores.Sum(lcore => lcore.Tunnels), Tunnels, Tunnels + 250);
        Assert.True(lcores.Lcores.Sum(lcore => (long)lcore.Ports[0].SentPackets) > Busy, "no packets went through the busy tunnels");
        Assert.InRange(cheapest, double.Epsilon, MostPauseMilliseconds);
        Assert.True(status.Gc.WorstPauseMilliseconds > 0, "the status hides the pauses");

        Array.ForEach(busy, user => user.Dispose());
    }

    /// <summary>
    /// What a collection of the young generations costs, in milliseconds of the thread that it runs on: as long as lcores stand still on a
    /// machine of their own. By the clock on the wall it would be as long as others have the CPU; of several rounds the cheapest is the one
    /// whose caches others left alone.
    /// </summary>
    private static double CostOfCollection()
    {
        long start = ThreadClock.Nanoseconds;
        GC.Collect(1, GCCollectionMode.Forced, blocking: true);
        double milliseconds = (ThreadClock.Nanoseconds - start) / 1e6;
        GCMemoryInfo info = GC.GetGCMemoryInfo(GCKind.Any);
        TestContext.Current.SendDiagnosticMessage(
            $"collection {info.Index} of generation {info.Generation}: {milliseconds:F3} ms of CPU, pause {info.PauseDurations[0].TotalMilliseconds:F3} ms, {info.PromotedBytes} bytes kept");
        return milliseconds;
    }

    private static void LogIn(BrokerFixture fixture)
    {
        for (int i = 0; i < LogIns; i++)
        {
            using var client = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
            Assert.Equal("HTTP/1.1 200 CONNECTED", client.Connect(client.LogIn(BrokerFixture.User, BrokerFixture.Password)!).Status);
        }
    }

    private static async Task AttachIdleAsync(DataPlaneHost host, QuietPeers peers)
    {
        byte[] secret = new byte[32];
        var attached = new List<Task>();
        for (int i = 0; i < Tunnels - Busy; i++)
        {
            attached.Add(host.AttachUserAsync(new UserTunnelRequest
            {
                TunnelId = FirstTunnelId + (ulong)i,
                SessionId = FirstTunnelId,
                User = "crowd",
                Lcore = i % 2,
                Socket = peers.Connect(),
                TrafficStates = CreateStates(secret, i),
                Unread = [],
                InnerIPv4 = AddressOf(i),
                Mtu = 1400,
                DpdSeconds = 30,
                KeepaliveSeconds = 20,
                IdleSeconds = 0,
                UnsentBytes = 262_144,
            }));
            if (attached.Count < AttachedAtOnce)
                continue;
            await Task.WhenAll(attached);
            attached.Clear();
        }
        await Task.WhenAll(attached);
    }

    private static async Task<TestUser[]> AttachBusyAsync(DataPlaneHost host)
    {
        var users = new TestUser[Busy];
        for (int i = 0; i < Busy; i++)
        {
            users[i] = new TestUser(i + 1);
            int number = Tunnels - Busy + i;
            await host.AttachUserAsync(DataPlaneHostTests.RequestOf(users[i], FirstTunnelId + (ulong)number, number % 2, AddressOf(number).ToString()));
        }
        return users;
    }

    /// <summary>The busy ones send to each other, across both lcores, and read what they get.</summary>
    private static void Talk(TestUser[] users, CancellationToken stop)
    {
        byte[][] packets = [.. users.Select((_, i) => InnerPackets.Udp(
            AddressOf(Tunnels - Busy + i).ToString(), AddressOf(Tunnels - Busy + ((i + 7) % Busy)).ToString(), 1000))];
        while (!stop.IsCancellationRequested)
        {
            for (int i = 0; i < users.Length; i++)
                users[i].SendPacket(packets[i]);
            foreach (TestUser user in users)
            {
                Eventually.True(() => user.Receive() > 0 && user.Frames.Count > 0, "the packet of another busy user");
                user.Frames.Clear();
            }
        }
    }

    /// <summary>The crowd's pool is cut into a half for each of the two lcores.</summary>
    private static IPAddress AddressOf(int number) =>
        new([10, 64, (byte)((number % 2 * 128) + (number / 2 / 250)), (byte)(1 + (number / 2 % 250))]);

    private static unsafe nint CreateStates(byte[] secret, int number)
    {
        BitConverter.TryWriteBytes(secret, number);
        var states = (TlsTrafficState*)NativeMemory.AlignedAlloc(2 * TlsTrafficState.SizeInBytes, 64);
        TlsTrafficState.Initialize(states, TlsCipherSuite.Aes128GcmSha256, secret, TlsTrafficUse.ReadAsServer);
        TlsTrafficState.Initialize(states + 1, TlsCipherSuite.Aes128GcmSha256, secret, TlsTrafficUse.Write);
        return (nint)states;
    }

    /// <summary>Raises the process's limit of open files where it is lower.</summary>
    private static unsafe bool TryAllowFiles(ulong files)
    {
        const int noFile = 7;
        ulong* limits = stackalloc ulong[2];
        if (GetLimit(noFile, limits) != 0)
            return false;
        if (limits[0] >= files)
            return true;
        limits[0] = files;
        limits[1] = Math.Max(limits[1], files);
        return SetLimit(noFile, limits) == 0;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static unsafe partial int GetLimit(int resource, ulong* limits);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static unsafe partial int SetLimit(int resource, ulong* limits);
}
