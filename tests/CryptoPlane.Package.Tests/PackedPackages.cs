using System.IO.Compression;
using CryptoPlane.TestKit;

namespace CryptoPlane.Package.Tests;

/// <summary>
/// The packages as eng/pack.sh makes them from a copy of the sources, which has neither build output nor version control: what a user
/// of the sources has, and nothing that another build of this repository could disturb.
/// </summary>
public sealed class PackedPackages : IDisposable
{
    /// <summary>A version that no registry has.</summary>
    public const string Version = "0.0.1-test";

    private readonly TemporaryDirectory _directory = new();

    /// <summary>Packs.</summary>
    public PackedPackages()
    {
        Sources = CopySources(_directory.File("sources"));
        Directory = Pack(Sources);
    }

    /// <summary>The copy of the repository.</summary>
    public string Sources { get; }

    /// <summary>Where the packages lie.</summary>
    public string Directory { get; }

    /// <summary>Copies what the build of the libraries needs.</summary>
    /// <returns>The copy's directory.</returns>
    public static string CopySources(string to)
    {
        foreach (string file in System.IO.Directory.EnumerateFiles(RepositoryRoot.Directory).Where(file => Path.GetFileName(file) != ".git"))
            Copy(file);
        foreach (string part in (string[])["src", "native", "eng"])
        {
            foreach (string file in System.IO.Directory.EnumerateFiles(RepositoryRoot.PathOf(part), "*", SearchOption.AllDirectories))
            {
                if (!file.Split('/').Any(name => name is "bin" or "obj"))
                    Copy(file);
            }
        }
        return to;

        void Copy(string file)
        {
            string copy = Path.Combine(to, Path.GetRelativePath(RepositoryRoot.Directory, file));
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>Runs a copy's eng/pack.sh.</summary>
    /// <param name="sources">The copy.</param>
    /// <param name="nativeLibrary">A directory with the native library, or null to build it.</param>
    /// <returns>The directory with the packages.</returns>
    public static string Pack(string sources, string? nativeLibrary = null)
    {
        Requirement.Program("cmake");
        Requirement.Program("gcc");
        DotNet.Run(Path.Combine(sources, "eng/pack.sh"), ["--version", Version], sources, ("CRYPTOPLANE_PREBUILT", nativeLibrary)).EnsureSuccess();
        return Path.Combine(sources, "artifacts/packages");
    }

    /// <summary>Opens a package.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="extension">nupkg or snupkg.</param>
    public ZipArchive Open(string id, string extension = "nupkg") => ZipFile.OpenRead(Path.Combine(Directory, $"{id}.{Version}.{extension}"));

    /// <summary>The first program in C# that a package's README shows.</summary>
    public string QuickStart(string id)
    {
        using ZipArchive package = Open(id);
        using var reader = new StreamReader(package.GetEntry("README.md")!.Open());
        string[] parts = reader.ReadToEnd().Split("```csharp\n", 2);
        Assert.True(parts.Length == 2, $"The README of {id} shows no program.");
        return parts[1].Split("```", 2)[0];
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();
}

/// <summary>The tests that share one set of packages.</summary>
[CollectionDefinition(Name)]
public sealed class PackedPackagesCollection : ICollectionFixture<PackedPackages>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "packages";
}
