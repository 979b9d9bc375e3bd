using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker config …</c></summary>
internal static class ConfigCommands
{
    public static Task<int> CheckAsync(Invocation invocation)
    {
        string file = invocation.Arguments[0];
        try
        {
            BrokerConfig config = ConfigLoader.Load(file);
            foreach (string warning in ConfigLoader.Warnings(config))
                invocation.Console.Error.WriteLine($"{file}: warning: {warning}");
            invocation.Console.Out.WriteLine(
                $"{file} is valid: {config.Listen?.Endpoints.Count ?? 0} listen endpoint(s), {config.Pools.Count} pool(s), {config.Groups.Count} group(s), {config.Esp?.Tunnels.Count ?? 0} ESP tunnel(s), {config.Lcores.Count} lcore(s)");
            return Task.FromResult(ExitCode.Ok);
        }
        catch (ConfigException e)
        {
            foreach (ConfigError error in e.Errors)
                invocation.Console.Error.WriteLine(error);
            return Task.FromResult(ExitCode.Failure);
        }
    }
}
