using CryptoPlane.Aead;

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
}
