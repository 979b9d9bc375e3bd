using VpnBroker.Control;

namespace VpnBroker.Cli.Commands;

/// <summary>The commands that ask a running broker for one thing.</summary>
internal static class ControlCommands
{
    public static Task<int> DisconnectAsync(Invocation invocation) => SendAsync(invocation, new ControlRequest("disconnect", User: invocation.Arguments[0]));

    public static Task<int> ReloadAsync(Invocation invocation) => SendAsync(invocation, new ControlRequest("reload"));

    /// <summary>The control socket that the options name.</summary>
    public static string SocketOf(Invocation invocation) =>
        invocation.Has("--socket") ? Path.GetFullPath(invocation.Get("--socket", "")) : CommandErrors.LoadConfig(invocation).Control.Socket;

    private static Task<int> SendAsync(Invocation invocation, ControlRequest request) =>
        CommandErrors.GuardAsync(invocation, () => Show(invocation, ControlClient.Send(SocketOf(invocation), request)));

    /// <summary>Prints what the broker answered.</summary>
    /// <returns>The exit code.</returns>
    public static int Show(Invocation invocation, ControlResponse response)
    {
        if (response.Error is { } error)
        {
            invocation.Console.Error.WriteLine(error);
            return ExitCode.Failure;
        }
        invocation.Console.Out.WriteLine(response.Message);
        return ExitCode.Ok;
    }
}
