using System.Runtime.Intrinsics.X86;
using CryptoPlane.TestKit;

namespace CryptoPlane.Package.Tests;

/// <summary>The programs that the packages' READMEs show, in projects that know nothing but the packages.</summary>
[Collection(PackedPackagesCollection.Name)]
[Trait("Speed", "slow")]
public class ExampleTests(PackedPackages packages)
{
    [Fact]
    public void A_burst_is_sealed_and_opened_by_native_kernels_and_without_the_library_by_managed_ones()
    {
        using var project = new ConsumerProject(packages, "CryptoPlane", packages.QuickStart("CryptoPlane"));
        project.Build();
        Assert.True(File.Exists(project.NativeLibrary), $"The native library was not restored to {project.NativeLibrary}.");
        Requirement.That(Aes.IsSupported && Pclmulqdq.IsSupported && Avx2.IsSupported, "the CPU lacks what every native tier needs");
        ProgramResult native = project.Run().EnsureSuccess();
        Assert.StartsWith("native: ", AssertBurst(native));
        Assert.Empty(native.Error);

        File.Delete(project.NativeLibrary);
        ProgramResult managed = project.Run().EnsureSuccess();
        Assert.StartsWith("managed: ", AssertBurst(managed));
        string line = Assert.Single(managed.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("No native AEAD kernels: libcryptoplane_aead.so is not there", line);
    }

    [Fact]
    public void A_tls_client_and_server_talk()
    {
        using var project = new ConsumerProject(packages, "CryptoPlane.Tls", packages.QuickStart("CryptoPlane.Tls"));
        project.Build();
        Assert.True(File.Exists(project.NativeLibrary), "The native library does not come along with the package that needs it.");
        Assert.Equal(["Aes128GcmSha256, X25519MLKem768", "hello"], Lines(project.Run().EnsureSuccess()));
    }

    [Fact]
    public void Two_streams_talk()
    {
        using var project = new ConsumerProject(packages, "CryptoPlane.Tls.Streams", packages.QuickStart("CryptoPlane.Tls.Streams"));
        project.Build();
        Assert.Equal(["Tls13, TLS_AES_128_GCM_SHA256, X25519MLKem768", "you said hello"], Lines(project.Run().EnsureSuccess()));
    }

    [Fact]
    public void Kestrel_serves_a_request()
    {
        using var project = new ConsumerProject(packages, "CryptoPlane.Tls.AspNetCore", packages.QuickStart("CryptoPlane.Tls.AspNetCore"));
        project.Build();
        // The framework's client takes its groups from OpenSSL, whose versions differ in the first.
        Assert.Matches("^https, HTTP/2, X25519", Assert.Single(Lines(project.Run().EnsureSuccess())));
    }

    [Fact]
    public void A_flow_record_is_exported()
    {
        using var project = new ConsumerProject(packages, "CryptoPlane.Ipfix", packages.QuickStart("CryptoPlane.Ipfix"));
        project.Build();
        Assert.Equal(["in the ring", "version 10, 1 record exported"], Lines(project.Run().EnsureSuccess()));
    }

    /// <returns>The engine's description.</returns>
    private static string AssertBurst(ProgramResult result)
    {
        string[] lines = Lines(result);
        Assert.Equal(
            [
                .. Enumerable.Range(0, 8).Select(packet => $"Seal packet {packet}: Success"),
                .. Enumerable.Range(0, 8).Select(packet => $"Open packet {packet}: {(packet == 3 ? "AuthenticationFailed" : "Success")}"),
            ],
            lines[1..]);
        return lines[0];
    }

    private static string[] Lines(ProgramResult result) => result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
