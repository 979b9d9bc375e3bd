using VpnBroker.Authentication;
using VpnBroker.Capture;
using VpnBroker.Certificates;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.Control;
using VpnBroker.Esp;
using VpnBroker.Ipsec;

namespace VpnBroker.Cli;

/// <summary>Turns the errors that tell an operator what to do into a message and an exit code; others are defects and are left alone.</summary>
internal static class CommandErrors
{
    /// <summary>Whether an exception's message is meant for an operator.</summary>
    public static bool IsForOperator(Exception e) =>
        e is ConfigException or UsersFileException or ServerCertificateException or SequenceStateException or ControlSocketException
            or CaptureRefusedException or IpsecException;

    /// <summary>Runs a command's body.</summary>
    public static async Task<int> GuardAsync(Invocation invocation, Func<Task<int>> body)
    {
        try
        {
            return await body();
        }
        catch (Exception e) when (IsForOperator(e))
        {
            await invocation.Console.Error.WriteLineAsync(e.Message);
            return ExitCode.Failure;
        }
    }

    /// <inheritdoc cref="GuardAsync(Invocation, Func{Task{int}})"/>
    public static Task<int> GuardAsync(Invocation invocation, Func<int> body) => GuardAsync(invocation, () => Task.FromResult(body()));

    /// <summary>The configuration that the options name.</summary>
    public static BrokerConfig LoadConfig(Invocation invocation) => ConfigLoader.Load(invocation.Get("--config", BrokerCommands.DefaultConfig));
}
