using System.Globalization;
using System.Text.Json;
using VpnBroker.Control;
using VpnBroker.Status;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker flows</c></summary>
internal static class FlowsCommand
{
    public static IReadOnlyList<CommandOption> Options { get; } =
    [
        new("--user", "NAME", "sessions of a user"),
        new("--address", "PREFIX", "sessions with one end at an address or in a prefix"),
        new("--port", "NUMBER", "sessions with such a port on one end"),
        new("--protocol", "NAME", "tcp, udp, icmp, icmp6, gre, esp, ah, sctp or a number"),
        new("--state", "NAME", "TCP that is opening, established, closing or closed; or what the policy denies: denied"),
        new("--tunnel", "NAME", "sessions through users, esp, tun, or the ESP tunnel of that name"),
        new("--sort", "ORDER", "rate (default), bytes, packets, age or drops: the most first"),
        new("--top", "NUMBER", "how many (default 20)"),
        new("--watch", null, "read again until interrupted"),
        new("--json", null, "print JSON"),
    ];

    public static Task<int> RunAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, async () =>
    {
        if (!TryNumber(invocation, "--port", out int? port) || !TryNumber(invocation, "--top", out int? top))
        {
            await invocation.Console.Error.WriteLineAsync("--port and --top take a number: \"broker flows --help\" shows how.");
            return ExitCode.Usage;
        }
        var request = new FlowsRequest(
            Option(invocation, "--user"), Option(invocation, "--address"), port, Option(invocation, "--protocol"), Option(invocation, "--state"),
            Option(invocation, "--tunnel"), invocation.Get("--sort", "rate"), top ?? 20);
        string socket = ControlCommands.SocketOf(invocation);
        bool watch = invocation.Has("--watch");
        do
        {
            // The broker reads twice, a second apart: that is the pause between two pictures too.
            ControlResponse response = ControlClient.Send(socket, new ControlRequest("flows", Flows: request));
            if (response.Flows is not { } report)
            {
                await invocation.Console.Error.WriteLineAsync(response.Error ?? "the broker gave no report");
                return ExitCode.Failure;
            }
            // Clears a terminal's screen and begins at its top.
            await invocation.Console.Out.WriteAsync(invocation.Has("--json")
                ? JsonSerializer.Serialize(report, IndentedStatusJson.Default.FlowsReport) + "\n"
                : (watch ? "\x1b[2J\x1b[H" : "") + FlowsText.Write(report));
        }
        while (watch);
        return ExitCode.Ok;
    });

    private static string? Option(Invocation invocation, string name) => invocation.Options.GetValueOrDefault(name);

    private static bool TryNumber(Invocation invocation, string name, out int? number)
    {
        number = int.TryParse(invocation.Get(name, ""), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
        return number != null || !invocation.Has(name);
    }
}
