using CryptoPlane.TestKit;

namespace CryptoPlane.Package.Tests;

/// <summary>The programs that the packages' READMEs show, in projects that know nothing but the packages.</summary>
[Collection(PackedPackagesCollection.Name)]
[Trait("Speed", "slow")]
public class ExampleTests(PackedPackages packages)
{
    [Fact]
    public void A_burst_is_sealed_and_opened()
    {
        using var project = new ConsumerProject(packages, "CryptoPlane", packages.QuickStart("CryptoPlane"));
        project.Build();
        Assert.True(File.Exists(project.NativeLibrary), $"The native library was not restored to {project.NativeLibrary}.");
        AssertBurst(project.Run().EnsureSuccess());

        File.Delete(project.NativeLibrary);
        string[] lines = AssertBurst(project.Run().EnsureSuccess());
        Assert.StartsWith("managed: ", lines[0]);
    }

    [Fact]
    public void A_tls_client_and_server_talk()
    {
        using var project = new ConsumerProject(packages, "CryptoPlane.Tls", packages.QuickStart("CryptoPlane.Tls"));
        project.Build();
        Assert.True(File.Exists(project.NativeLibrary), "The native library does not come along with the package that needs it.");
        Assert.Equal(["Aes128GcmSha256, X25519", "hello"], Lines(project.Run().EnsureSuccess()));
    }

    /// <returns>The program's lines, of which the first describes the engine.</returns>
    private static string[] AssertBurst(ProgramResult result)
    {
        string[] lines = Lines(result);
        Assert.Equal(
            [
                .. Enumerable.Range(0, 8).Select(packet => $"Seal packet {packet}: Success"),
                .. Enumerable.Range(0, 8).Select(packet => $"Open packet {packet}: {(packet == 3 ? "AuthenticationFailed" : "Success")}"),
            ],
            lines[1..]);
        return lines;
    }

    private static string[] Lines(ProgramResult result) => result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
