using System.Text.Json;

namespace CryptoPlane.TestKit;

/// <summary>
/// One file of Wycheproof vectors, as vectors/restore.sh puts it into vectors/data/wycheproof. A missing file skips the test, and fails
/// it with CI=true.
/// </summary>
/// <remarks>Properties are read by the name that the file's schema has, since every kind of test has its own.</remarks>
public sealed class WycheproofFile : IDisposable
{
    private readonly JsonDocument _document;

    private WycheproofFile(JsonDocument document) => _document = document;

    /// <summary>Opens a file such as <c>x25519_test.json</c>.</summary>
    public static WycheproofFile Load(string name)
    {
        string path = Path.Combine(RepositoryRoot.VectorData, "wycheproof", name);
        Requirement.That(File.Exists(path), $"{path} is missing: run vectors/restore.sh");
        return new WycheproofFile(JsonDocument.Parse(File.ReadAllBytes(path)));
    }

    /// <summary>How many tests the file says it has: compare it with how many you ran.</summary>
    public int NumberOfTests => _document.RootElement.GetProperty("numberOfTests").GetInt32();

    /// <summary>Every test, with the group that holds its common parameters (a public key, sizes).</summary>
    public IEnumerable<WycheproofTest> Tests =>
        from testGroup in _document.RootElement.GetProperty("testGroups").EnumerateArray()
        from test in testGroup.GetProperty("tests").EnumerateArray()
        select new WycheproofTest(testGroup, test);

    /// <inheritdoc/>
    public void Dispose() => _document.Dispose();
}
