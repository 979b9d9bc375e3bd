using VpnBroker.Configuration;
using VpnBroker.Esp;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker esp …</c></summary>
internal static class EspCommands
{
    public static Task<int> InitStateAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        BrokerConfig config = CommandErrors.LoadConfig(invocation);
        if (config.Esp is not { } esp)
            throw new SequenceStateException("the configuration has no esp section: there is no state to keep");
        IReadOnlyList<string> added = SequenceStateFile.Initialize(esp);
        foreach (string sa in added)
            invocation.Console.Out.WriteLine($"added the outbound key of {sa}");
        invocation.Console.Out.WriteLine(added.Count == 0 ? $"{esp.StateFile} knew every key already" : $"{esp.StateFile} is ready");
        return ExitCode.Ok;
    });
}
