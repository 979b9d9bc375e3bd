using System.Diagnostics;
using System.Globalization;
using CryptoPlane.Lcores;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tls.Tests.Soak;

/// <summary>
/// Two lcores with a thousand connections each, clients and servers, which come and go in every way: no byte is lost, doubled or out of order, what is
/// spoilt is refused with the right alert and harms nobody else, and nothing is left behind. <c>eng/soak.sh --tls</c> runs it long.
/// </summary>
[Collection(nameof(TlsSoak))]
[CollectionDefinition(nameof(TlsSoak), DisableParallelization = true)]
public sealed class TlsSoak
{
    private const int Lcores = 2;
    private const double ProgressSeconds = 10;

    /// <summary>Lock contentions of the whole process per handshake.</summary>
    private const double MostContentions = 0.001;

    /// <summary>
    /// What an lcore may allocate once warm, in all: where code is first compiled late, the runtime's table of string literals may grow on its thread.
    /// One object per record or KeyUpdate would be far more.
    /// </summary>
    private const long MostAllocated = 16 << 10;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(4);

    private readonly MemoryTrend _memory = new();

    [Fact]
    [Trait("Category", "Soak")]
    [Trait("Speed", "slow")]
    [Trait("Process", "own")]
    public void Connections_come_and_go_and_every_byte_arrives_once_and_in_its_order()
    {
        double seconds = Number("CRYPTOPLANE_SOAK_SECONDS", 30);
        int seed = (int)Number("CRYPTOPLANE_SOAK_SEED", Environment.TickCount & 0xFFFF);
        Say($"soak of {seconds} s, seed {seed} (CRYPTOPLANE_SOAK_SEED)");
        using var profiles = new SoakProfiles();
        SoakSite[] sites = [.. Enumerable.Range(0, Lcores).Select(i => new SoakSite(profiles, i, seed))];
        try
        {
            Eventually.True(() => sites.All(site => site.Check().Live == SoakLcore.Connections), "all connections of both lcores", s_patience);
            using var watch = new LcoreWatch();
            Assert.Equal(Lcores, watch.Threads);
            Run(seconds, sites, watch);
            Tell(sites, seconds);
            CheckAllHappened(sites);
            Assert.Equal((0, 0), (watch.Exceptions, watch.Contentions));
        }
        finally
        {
            foreach (SoakSite site in sites)
                site.Dispose();
        }
        _memory.AssertFlat();
    }

    private void Run(double seconds, SoakSite[] sites, LcoreWatch watch)
    {
        long start = Stopwatch.GetTimestamp(), contentions = 0;
        double nextProgress = ProgressSeconds;
        // The first third makes everything warm: code that is compiled again, sessions, memory that is touched for the first time.
        bool isWarm = false;
        long[] allocated = new long[sites.Length], before = new long[sites.Length];
        for (double now = 0; now < seconds; now = Stopwatch.GetElapsedTime(start).TotalSeconds)
        {
            // Not a wait for anything: the time between two samples.
            Thread.Sleep(TimeSpan.FromSeconds(Math.Min(1, seconds - now)));
            _memory.Sample();
            if (!isWarm && now > seconds / 3)
            {
                isWarm = true;
                contentions = Monitor.LockContentionCount;
                for (int i = 0; i < sites.Length; i++)
                    (allocated[i], before[i]) = (sites[i].Totals.Allocated, sites[i].Totals.Records);
            }
            foreach (SoakSite site in sites)
                site.Check();
            if (now >= nextProgress)
            {
                string live = string.Join(" + ", sites.Select(site => site.Lcore.Live));
                long records = sites.Sum(site => site.Totals.Records);
                Say(string.Create(CultureInfo.InvariantCulture,
                    $"{now,4:F0} s: {live} connections, {sites.Sum(site => site.Started)} so far; {records} records; {Memory(_memory.Last)}"));
                nextProgress += ProgressSeconds;
            }
        }
        contentions = Monitor.LockContentionCount - contentions;
        for (int i = 0; i < sites.Length; i++)
            Say($"lcore {i}, warm: {sites[i].Totals.Allocated - allocated[i]} bytes allocated over {sites[i].Totals.Records - before[i]} records");
        string elsewhere = string.Join(", ", watch.Elsewhere.CountBy(name => name).Select(one => $"{one.Value} by {one.Key}"));
        Say($"warm: {contentions} lock contentions in the process; since the start {watch.Contentions} by lcores, elsewhere {(elsewhere.Length == 0 ? "none" : elsewhere)}");
        for (int i = 0; i < sites.Length; i++)
            Assert.InRange(sites[i].Totals.Allocated - allocated[i], 0, MostAllocated);
        // Those of lcores are none at all, as is asserted in the end; the framework has locks of its own, which handshakes may meet at.
        Assert.InRange(contentions, 0, MostContentions * sites.Sum(site => site.Started));
    }

    private void Tell(SoakSite[] sites, double seconds)
    {
        long Lcores(Func<SoakTotals, long> what) => sites.Sum(site => what(site.Totals));
        long Handshakes(Func<SoakHandshakeTotals, long> what) => sites.Sum(site => what(site.Handshakes));
        Say($"{seconds} s: {sites.Sum(site => site.Started)} connections: {Handshakes(t => t.Whole)} whole handshakes "
            + $"({Handshakes(t => t.WithKey)} by keys from elsewhere), {Handshakes(t => t.Resumed)} resumed, "
            + $"{Handshakes(t => t.WithClientCertificate)} with client certificates, {Handshakes(t => t.Retried)} retried, "
            + $"{Handshakes(t => t.Compressed)} with compressed certificates; early data of {Handshakes(t => t.EarlyAccepted)} taken and of "
            + $"{Handshakes(t => t.EarlyRejected)} rejected, {Handshakes(t => t.ReplaysRefused)} replays refused; "
            + $"{Handshakes(t => t.Aborted)} handshakes aborted and {Handshakes(t => t.Spoilt)} spoilt");
        Say($"{Lcores(t => t.Records)} records ({Lcores(t => t.EmptyRecords)} empty) with {Lcores(t => t.Bytes)} bytes, "
            + $"{Lcores(t => t.KeyUpdates)} KeyUpdates ({Lcores(t => t.KeyUpdatesAsked)} that asked for one); ended: {Lcores(t => t.Abrupt)} abruptly, "
            + $"{Lcores(t => t.Closed)} by close_notify, {Lcores(t => t.Alerts)} by an alert, {Lcores(t => t.Corrupted)} by spoilt records");
        Say($"at the start {Memory(_memory.First)}; at the end {Memory(_memory.Last)}");
    }

    private static string Memory((long Managed, long Native) sample) => $"managed {sample.Managed >> 10} KiB, native {sample.Native >> 20} MiB";

    private static void CheckAllHappened(SoakSite[] sites)
    {
        foreach (SoakSite site in sites)
        {
            SoakTotals totals = site.Totals;
            SoakHandshakeTotals handshakes = site.Handshakes;
            foreach (long count in (ReadOnlySpan<long>)
                [
                    totals.Records, totals.EmptyRecords, totals.KeyUpdates, totals.KeyUpdatesAsked,
                    totals.Abrupt, totals.Closed, totals.Alerts, totals.Corrupted,
                    handshakes.Whole, handshakes.Resumed, handshakes.WithKey, handshakes.WithClientCertificate, handshakes.Retried, handshakes.Compressed,
                    handshakes.Aborted, handshakes.Spoilt, handshakes.EarlyAccepted, handshakes.ReplaysRefused,
                ])
                Assert.True(count > 0, "something did not happen at all");
        }
    }

    private static double Number(string variable, double otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static void Say(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);
}
