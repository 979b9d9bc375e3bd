using VpnBroker.Monitoring;
using VpnBroker.Status;
using VpnBroker.Tests.Control;

namespace VpnBroker.Tests.Monitoring;

public class RateSamplerTests
{
    [Fact]
    public async Task A_report_gets_its_rates_from_the_readings_of_before()
    {
        var source = new Source();
        var sampler = new RateSampler(source.ReadAsync, TimeProvider.System);
        Assert.Null(sampler.WithRates(source.Report()).RateSeconds);
        await sampler.SampleAsync();
        source.Second = 1;
        Assert.Equal(1, sampler.WithRates(source.Report()).RateSeconds);
        await sampler.SampleAsync();
        // The reading of a tenth of a second ago says too little: the one before counts.
        source.Second = 1.1;
        StatusReport report = sampler.WithRates(source.Report());
        Assert.Equal(1.1, report.RateSeconds);
        Assert.NotNull(Assert.Single(report.Users).Traffic.Rate);
    }

    [Fact]
    public async Task The_history_has_a_point_for_each_reading_and_forgets_the_oldest()
    {
        var source = new Source();
        var sampler = new RateSampler(source.ReadAsync, TimeProvider.System);
        for (source.Second = 0; source.Second <= RateHistory.Capacity + 5; source.Second++)
            await sampler.SampleAsync();
        IReadOnlyList<RatePoint> all = sampler.History.Since(0);
        Assert.Equal(RateHistory.Capacity, all.Count);
        Assert.Equal(1000, all[1].Time - all[0].Time);
        Assert.Equal(all[^1], Assert.Single(sampler.History.Since(all[^2].Time)));
        Assert.Empty(sampler.History.Since(all[^1].Time));
    }

    [Fact]
    public async Task The_more_sessions_there_are_the_less_often_they_are_read()
    {
        var few = new Source();
        var many = new Source { Sessions = 10 * UserRates.SessionsPerSecond };
        foreach (Source source in (Source[])[few, many])
        {
            var sampler = new RateSampler(source.ReadAsync, TimeProvider.System);
            for (source.Second = 0; source.Second < 40; source.Second++)
                await sampler.SampleAsync();
        }
        Assert.Equal(40, few.UserReadings);
        Assert.InRange(many.UserReadings, 4, 5);
    }

    private sealed class Source
    {
        public double Second { get; set; }

        public int Sessions { get; init; } = 1;

        public int UserReadings { get; private set; }

        public StatusReport Report() => StatusSamples.Report(Sessions, Second, 1 + (ulong)(10 * Second));

        public Task<StatusReport> ReadAsync(bool users)
        {
            UserReadings += users ? 1 : 0;
            return Task.FromResult(users ? Report() : Report() with { Users = [] });
        }
    }
}
