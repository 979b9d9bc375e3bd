using CryptoPlane.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Esp;
using VpnBroker.Tests.Configuration;

namespace VpnBroker.Tests.Esp;

public sealed class SequenceReserverTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly BrokerConfig _config;

    public SequenceReserverTests()
    {
        BrokerConfig config = ConfigText.Parse(ConfigText.Valid.Replace("outbound: {spi: 301,", "outbound: {spi: 301, esn: false,", StringComparison.Ordinal));
        _config = config with { Esp = config.Esp! with { StateFile = _directory.File("esp-state"), ReserveBlock = 1000 } };
        SequenceStateFile.Initialize(_config.Esp);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Two_blocks_are_reserved_at_first_and_one_more_whenever_less_than_one_is_left()
    {
        using var reserver = new SequenceReserver(_config, NullLogger.Instance);
        Assert.Equal([new SequenceRange(1, 2001), new SequenceRange(1, 2001)], reserver.InitialRanges);
        Assert.Empty(reserver.ReserveBehind([1, 1001]));
        Assert.Equal([(1, 3001ul)], reserver.ReserveBehind([1, 1002]));
        Assert.Equal([(0, 3001ul)], reserver.ReserveBehind([2001, 1500]));
    }

    [Fact]
    public void A_restart_begins_behind_everything_that_was_reserved()
    {
        using (var reserver = new SequenceReserver(_config, NullLogger.Instance))
            reserver.ReserveBehind([1500, 1]);
        using var restarted = new SequenceReserver(_config, NullLogger.Instance);
        Assert.Equal([new SequenceRange(3001, 5001), new SequenceRange(2001, 4001)], restarted.InitialRanges);
    }

    [Fact]
    public void Without_esn_a_key_ends_at_32_bits_and_is_reserved_no_further()
    {
        using (SequenceStateFile file = SequenceStateFile.Open(_config.Esp!))
            file.Reserve(_config.Esp!.Tunnels[0].Pairs[1].Outbound.Key, uint.MaxValue - 500, 1ul << 32);
        using var reserver = new SequenceReserver(_config, NullLogger.Instance);
        Assert.Equal(new SequenceRange((1ul << 32) - 500, 1ul << 32), reserver.InitialRanges[1]);
        Assert.Empty(reserver.ReserveBehind([1, (1ul << 32) - 10]));
        Assert.Empty(reserver.ReserveBehind([1, 1ul << 32]));
    }

    [Fact]
    public void When_the_disk_refuses_nothing_is_raised()
    {
        using var reserver = new SequenceReserver(_config, NullLogger.Instance);
        // A directory in the place of the temporary file: the write fails for root as well.
        Directory.CreateDirectory(_config.Esp!.StateFile + ".new/x");
        Assert.Empty(reserver.ReserveBehind([1999, 1]));
        Directory.Delete(_config.Esp.StateFile + ".new", recursive: true);
        Assert.Equal([(0, 3001ul)], reserver.ReserveBehind([1999, 1]));
    }

    [Fact]
    public void A_disk_that_stays_full_is_logged_once_and_so_is_its_end()
    {
        var log = new RecordingLogger();
        using var reserver = new SequenceReserver(_config, log);
        Directory.CreateDirectory(_config.Esp!.StateFile + ".new/x");
        for (int i = 0; i < 50; i++)
            reserver.ReserveBehind([1999, 1]);
        Assert.Equal([LogLevel.Error], log.Levels);
        Directory.Delete(_config.Esp.StateFile + ".new", recursive: true);
        reserver.ReserveBehind([1999, 1]);
        Assert.Equal([LogLevel.Error, LogLevel.Information], log.Levels);
    }

    private sealed class RecordingLogger : ILogger
    {
        public List<LogLevel> Levels { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Levels.Add(logLevel);
    }
}
