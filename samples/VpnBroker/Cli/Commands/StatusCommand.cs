using System.Text.Json;
using VpnBroker.Control;
using VpnBroker.Status;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker status</c></summary>
internal static class StatusCommand
{
    /// <summary>Time between the two samples that rates are counted from.</summary>
    private static readonly TimeSpan s_once = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(2);

    public static Task<int> RunAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, async () =>
    {
        string socket = ControlCommands.SocketOf(invocation);
        StatusReport before = Sample(socket, invocation);
        if (invocation.Has("--json"))
        {
            await invocation.Console.Out.WriteLineAsync(JsonSerializer.Serialize(before, IndentedStatusJson.Default.StatusReport));
            return ExitCode.Ok;
        }
        bool watch = invocation.Has("--watch");
        do
        {
            await Task.Delay(watch ? s_watch : s_once);
            StatusReport now = Sample(socket, invocation);
            // Clears a terminal's screen and begins at its top.
            await invocation.Console.Out.WriteAsync((watch ? "\x1b[2J\x1b[H" : "") + StatusText.Write(before, now));
            before = now;
        }
        while (watch);
        return ExitCode.Ok;
    });

    private static StatusReport Sample(string socket, Invocation invocation)
    {
        ControlResponse response = ControlClient.Send(socket, new ControlRequest("status", Users: !invocation.Has("--no-users")));
        return response.Status ?? throw new ControlSocketException(response.Error ?? "the broker gave no report");
    }
}
