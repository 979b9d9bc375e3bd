using CryptoPlane.Aead;
using CryptoPlane.Aead.Native;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>Says which backends this run of the suite covers.</summary>
public sealed class BackendCatalogTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_backend_of_this_machine_is_in_the_suite()
    {
        string[] names = [.. BackendCatalog.Names.Select(row => row.Data)];
        foreach (string name in names)
        {
            using AeadEngine engine = BackendCatalog.CreateEngine(name);
            output.WriteLine($"runs: {name}: {engine.Description}");
        }
        foreach (string missing in BackendCatalog.Missing)
            output.WriteLine($"cannot run on this CPU: {missing}");
        Assert.Equal(AeadBackends.IsManagedSupported, names.Any(name => name.StartsWith("managed/", StringComparison.Ordinal)));
        Assert.Contains("portable", names);
    }

    [Fact]
    public void Dpdk_is_there()
    {
        Requirement.That(DpdkDevices.Problem == null, $"DPDK does not start: {DpdkDevices.Problem}");
        Assert.NotEmpty(DpdkDevices.Names);
    }

    [Fact]
    public void The_native_kernels_are_there_and_what_the_cpu_lacks_is_emulated()
    {
        Requirement.That(NativeAeadLibrary.Default != null, $"no native kernels: {NativeAeadLibrary.Problem} (run eng/build-native.sh)");
        Requirement.That(File.Exists(BackendCatalog.EmulatedLibrary), "the emulated native kernels are missing: run 'eng/build-native.sh --tests'");
        NativeAeadLibrary emulated = NativeAeadLibrary.TryLoad(BackendCatalog.EmulatedLibrary, out _)!;
        Assert.Equal(NativeAeadLibrary.Default!.Tiers.Select(tier => tier.Name), emulated.Tiers.Select(tier => tier.Name));
        foreach (NativeAeadTier tier in NativeAeadLibrary.Default.Tiers.Concat(emulated.Tiers).Where(tier => tier.IsSupported))
        {
            Assert.Null(tier.Failure.Value);
            Assert.True(tier.HasChaCha20Poly1305, tier.Name);
        }
        foreach (NativeAeadTier tier in NativeAeadLibrary.Default.Tiers)
        {
            bool runs = BackendCatalog.Names.Any(row => row.Data.EndsWith("/" + tier.Name, StringComparison.Ordinal));
            Assert.True(runs || BackendCatalog.Missing.Any(missing => missing.Contains(tier.Name, StringComparison.Ordinal)), tier.Name);
        }
    }
}
