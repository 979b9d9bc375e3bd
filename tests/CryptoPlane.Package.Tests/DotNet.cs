using CryptoPlane.TestKit;

namespace CryptoPlane.Package.Tests;

/// <summary>Runs the .NET SDK, and scripts that do, as a user's shell would.</summary>
internal static class DotNet
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(12);

    /// <summary>
    /// Without servers that stay behind (they would keep the pipes of the program open), without CI's stricter rules, without the
    /// analyzers, which the build of the repository has run and which take most of the time, and with the folder for packages that the
    /// NuGet.config in the working directory names.
    /// </summary>
    private static readonly Dictionary<string, string?> s_environment = new()
    {
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["UseSharedCompilation"] = "false",
        ["RunAnalyzers"] = "false",
        ["CI"] = null,
        ["CRYPTOPLANE_AEAD"] = null,
        ["CRYPTOPLANE_AEAD_TIER"] = null,
    };

    /// <summary>Runs 'dotnet' with the given arguments.</summary>
    public static ProgramResult Run(IEnumerable<string> arguments, string workingDirectory, params IEnumerable<(string Name, string? Value)> environment) =>
        Run(Requirement.Program("dotnet", "dotnet-sdk-10.0"), arguments, workingDirectory, environment);

    /// <summary>Runs a program that may call 'dotnet'.</summary>
    public static ProgramResult Run(string program, IEnumerable<string> arguments, string workingDirectory,
        params IEnumerable<(string Name, string? Value)> environment)
    {
        var all = new Dictionary<string, string?>(s_environment);
        foreach ((string name, string? value) in environment)
            all[name] = value;
        return ExternalProgram.Run(program, arguments, timeout: s_timeout, environment: all, workingDirectory: workingDirectory);
    }
}
