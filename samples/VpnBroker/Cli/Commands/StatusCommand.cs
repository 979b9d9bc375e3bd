using System.Text.Json;
using VpnBroker.Control;
using VpnBroker.Status;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker status</c></summary>
internal static class StatusCommand
{
    /// <summary>Clears a terminal's screen and begins at its top.</summary>
    private const string ClearScreen = "\e[2J\e[H";

    /// <summary>The broker reads its counters once per second for its rates: a faster view would show nothing new.</summary>
    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(1);

    public static Task<int> RunAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, async () =>
    {
        string socket = ControlCommands.SocketOf(invocation);
        StatusReport report = Sample(socket, invocation);
        if (invocation.Has("--json"))
        {
            await invocation.Console.Out.WriteLineAsync(JsonSerializer.Serialize(report, IndentedStatusJson.Default.StatusReport));
            return ExitCode.Ok;
        }
        bool watch = invocation.Has("--watch");
        await invocation.Console.Out.WriteAsync((watch ? ClearScreen : "") + StatusText.Write(report));
        while (watch)
        {
            await Task.Delay(s_watch);
            await invocation.Console.Out.WriteAsync(ClearScreen + StatusText.Write(Sample(socket, invocation)));
        }
        return ExitCode.Ok;
    });

    private static StatusReport Sample(string socket, Invocation invocation)
    {
        ControlResponse response = ControlClient.Send(socket, new ControlRequest("status", Users: !invocation.Has("--no-users")));
        return response.Status ?? throw new ControlSocketException(response.Error ?? "the broker gave no report");
    }
}
