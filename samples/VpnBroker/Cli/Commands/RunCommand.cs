using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.DataPlane;
using VpnBroker.Hosting;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker run</c></summary>
internal static partial class RunCommand
{
    public static Task<int> RunAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, async () =>
    {
        string file = Path.GetFullPath(invocation.Get("--config", BrokerCommands.DefaultConfig));
        BrokerConfig config = ConfigLoader.Load(file);
        var level = new LogLevelSwitch { Level = config.Log.Level };
        using ILoggerFactory loggers = LoggerFactory.Create(builder => Configure(builder, config, level));
        ILogger logger = loggers.CreateLogger("VpnBroker");

        // Signals are taken before anything starts: one that comes early ends the start-up in order.
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Broker? broker = null;
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            LogStopping(logger, context.Signal);
            stop.TrySetResult();
        }
        void Reload(PosixSignalContext context)
        {
            context.Cancel = true;
            _ = Volatile.Read(ref broker)?.ReloadAsync();
        }
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Reload);

        try
        {
            Volatile.Write(ref broker, await Broker.StartAsync(file, config, DataPlaneHost.Start, level, loggers, TimeProvider.System));
        }
        // A port that the kernel refuses, an endpoint that is taken, a log that cannot be written: the message says what to do.
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IOException or UnauthorizedAccessException or Listening.ListenException)
        {
            LogStartFailed(logger, e.Message);
            return ExitCode.Failure;
        }
        await using (broker)
        {
            LogRunning(logger, Environment.ProcessId, file);
            await stop.Task;
        }
        LogStopped(logger);
        return ExitCode.Ok;
    });

    private static void Configure(ILoggingBuilder builder, BrokerConfig config, LogLevelSwitch level)
    {
        builder.SetMinimumLevel(LogLevel.Trace).AddFilter(at => at >= level.Level);
        if (config.Log.Json)
        {
            builder.AddJsonConsole(options => options.UseUtcTimestamp = true);
            return;
        }
        builder.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            options.UseUtcTimestamp = true;
        });
    }

    [LoggerMessage(1, LogLevel.Information, "The broker runs as process {ProcessId} with {File}")]
    private static partial void LogRunning(ILogger logger, int processId, string file);

    [LoggerMessage(2, LogLevel.Information, "{Signal}: the broker stops")]
    private static partial void LogStopping(ILogger logger, PosixSignal signal);

    [LoggerMessage(3, LogLevel.Information, "The broker has stopped")]
    private static partial void LogStopped(ILogger logger);

    [LoggerMessage(4, LogLevel.Critical, "The broker cannot start: {Message}")]
    private static partial void LogStartFailed(ILogger logger, string message);
}
