using CryptoPlane.Lcores;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Supervision;

namespace VpnBroker.Tests.DataPlane.Supervision;

public sealed class LcorePlacementTests
{
    [Fact]
    public void A_cpu_outside_of_the_processs_cpuset_stops_the_start_and_says_which_there_are()
    {
        var error = Assert.Throws<InvalidOperationException>(() => LcorePlacement.Place(new LcoreConfig { Cpus = [CpuSet.MaximumCpus - 1] }, NullLogger.Instance));
        Assert.Contains($"on CPU 1023, and this process may use only {CpuSet.OfProcess()}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Named_cpus_stay_and_busy_lcores_on_all_of_them_are_a_warning()
    {
        CpuSet allowed = CpuSet.OfProcess();
        int[] all = [.. Enumerable.Range(0, allowed.Count).Select(index => allowed[index])];
        using var log = new Warnings();
        Assert.Equal(all, LcorePlacement.Place(new LcoreConfig { Cpus = all, Idle = IdleMode.Adaptive }, log).Cpus);
        Assert.Empty(log.Messages);
        Assert.Equal(all, LcorePlacement.Place(new LcoreConfig { Cpus = all, Idle = IdleMode.Busy }, log).Cpus);
        Assert.Contains($"all CPUs of this process ({allowed})", Assert.Single(log.Messages), StringComparison.Ordinal);
    }

    private sealed class Warnings : ILogger, IDisposable
    {
        public List<string> Messages { get; } = [];

        public IDisposable BeginScope<TState>(TState state) where TState : notnull => this;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Messages.Add(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
