using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests;

/// <summary>The program dpdk-lab: an EAL with options of its own, by default as a user without rights.</summary>
internal static class DpdkLab
{
    /// <summary>The user and group "nobody" of every Linux.</summary>
    public const int Nobody = 65534;

    private static readonly string[] s_withoutRights =
        ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"];

    /// <summary>What is not this user's (HOME), and no message pipes in /tmp for debuggers.</summary>
    private static readonly Dictionary<string, string?> s_environment = new() { ["HOME"] = "/nonexistent", ["DOTNET_EnableDiagnostics"] = "0", ["XDG_RUNTIME_DIR"] = null };

    /// <summary>Starts it as nobody, without any capability. Skips the test without root or DPDK.</summary>
    public static ExternalProgram Start(params string[] arguments) => StartUnprivileged(OutputOf("tests/CryptoPlane.Dpdk.Lab", "dpdk-lab"), arguments);

    /// <summary>Starts another program like that.</summary>
    public static ExternalProgram StartUnprivileged(string program, params string[] arguments)
    {
        Requirement.Root();
        DpdkTestBed.Require();
        string setpriv = Requirement.Program("setpriv", "util-linux");
        return ExternalProgram.Start(setpriv, [.. s_withoutRights, program, .. arguments], s_environment, "/");
    }

    /// <summary>Runs it to its end as nobody, without any capability.</summary>
    public static ProgramResult Run(params string[] arguments)
    {
        using ExternalProgram lab = Start(arguments);
        lab.CloseInput();
        return lab.WaitForExit(TimeSpan.FromSeconds(30));
    }

    /// <summary>The executable of another project, built with this one.</summary>
    public static string OutputOf(string project, string program)
    {
        // bin/Release/net10.0 of this program, beside which the other's is.
        string own = AppContext.BaseDirectory.TrimEnd('/');
        string framework = Path.GetFileName(own), configuration = Path.GetFileName(Path.GetDirectoryName(own)!);
        return RepositoryRoot.PathOf([.. project.Split('/'), "bin", configuration, framework, program]);
    }
}
