using CryptoPlane.TestKit;

namespace CryptoPlane.Package.Tests;

/// <summary>How the native library gets into builds, and what they say where it cannot be built.</summary>
public class NativeBuildTests
{
    private const string Line = "native/aead is not built, so the managed AEAD kernels will be used: cmake missing (run eng/install-deps.sh build)";

    [Fact]
    public void Whoever_references_the_library_gets_the_native_one()
    {
        Requirement.Program("cmake");
        Requirement.Program("gcc");
        // This project references CryptoPlane by way of the TestKit.
        Assert.Equal(
            File.ReadAllBytes(RepositoryRoot.PathOf("artifacts/native/linux-x64/libcryptoplane_aead.so")),
            File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "libcryptoplane_aead.so")));
    }

    [Fact]
    [Trait("Speed", "slow")]
    public void Without_cmake_a_build_says_so_in_one_line_and_with_ci_it_fails()
    {
        using var directory = new TemporaryDirectory();
        string sources = PackedPackages.CopySources(directory.File("sources")), tools = directory.File("tools");
        LinkAllProgramsBut("cmake", tools);

        ProgramResult built = DotNet.Run(["build", "src/CryptoPlane"], sources, ("PATH", tools)).EnsureSuccess();
        Assert.Single(built.Output.Split('\n'), line => line.Trim() == Line);
        Assert.False(File.Exists(Path.Combine(sources, "src/CryptoPlane/bin/Debug/net10.0/libcryptoplane_aead.so")));

        ProgramResult inCi = DotNet.Run(["build", "src/CryptoPlane"], sources, ("PATH", tools), ("CI", "true"));
        Assert.NotEqual(0, inCi.ExitCode);
        Assert.Contains($"error : CI=true, and {Line}", inCi.Output);
    }

    /// <summary>Makes a directory for PATH that has every program of this process's PATH but one.</summary>
    private static void LinkAllProgramsBut(string missing, string directory)
    {
        Directory.CreateDirectory(directory);
        foreach (string place in Environment.GetEnvironmentVariable("PATH")!.Split(':', StringSplitOptions.RemoveEmptyEntries).Where(Directory.Exists))
        {
            foreach (string program in Directory.EnumerateFiles(place))
            {
                string link = Path.Combine(directory, Path.GetFileName(program));
                if (Path.GetFileName(program) != missing && !File.Exists(link))
                    File.CreateSymbolicLink(link, new FileInfo(program).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? program);
            }
        }
    }
}
