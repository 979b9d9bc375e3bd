namespace CryptoPlane.TestKit;

/// <summary>Where the repository lies, found from the test program's own place by looking upwards for the solution.</summary>
public static class RepositoryRoot
{
    private static readonly Lazy<string> s_directory = new(Find);

    /// <summary>The directory that holds CryptoPlane.sln.</summary>
    public static string Directory => s_directory.Value;

    /// <summary>The directory into which vectors/restore.sh puts the restored vector files.</summary>
    public static string VectorData => PathOf("vectors", "data");

    /// <summary>An absolute path from parts that are relative to the repository.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Directory, .. parts]);

    private static string Find()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory != null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "CryptoPlane.sln")))
                return directory.FullName;
        }
        throw new DirectoryNotFoundException($"No CryptoPlane.sln above {AppContext.BaseDirectory}: run the tests from inside the repository.");
    }
}
