using System.IO.Compression;
using System.Xml.Linq;
using CryptoPlane.TestKit;

namespace CryptoPlane.Package.Tests;

/// <summary>What is in the packages, and what they say about themselves.</summary>
[Collection(PackedPackagesCollection.Name)]
[Trait("Speed", "slow")]
public class PackageContentTests(PackedPackages packages)
{
    [Theory]
    [InlineData("CryptoPlane")]
    [InlineData("CryptoPlane.Tls")]
    [InlineData("CryptoPlane.Tls.Streams")]
    [InlineData("CryptoPlane.Tls.AspNetCore")]
    [InlineData("CryptoPlane.Esp")]
    [InlineData("CryptoPlane.Ike")]
    [InlineData("CryptoPlane.IO")]
    [InlineData("CryptoPlane.Ipfix")]
    public void A_package_has_assembly_documentation_and_readme_and_a_symbol_package(string id)
    {
        using ZipArchive package = packages.Open(id);
        string[] entries = [.. package.Entries.Select(entry => entry.FullName)];
        Assert.Contains($"lib/net10.0/{id}.dll", entries);
        Assert.Contains($"lib/net10.0/{id}.xml", entries);
        Assert.StartsWith($"# {id}\n", Text(package, "README.md"));

        using ZipArchive symbols = packages.Open(id, "snupkg");
        Assert.NotNull(symbols.GetEntry($"lib/net10.0/{id}.pdb"));
    }

    [Theory]
    [InlineData("CryptoPlane", null)]
    [InlineData("CryptoPlane.Tls", "CryptoPlane")]
    [InlineData("CryptoPlane.Tls.Streams", "CryptoPlane.Tls")]
    [InlineData("CryptoPlane.Tls.AspNetCore", "CryptoPlane.Tls.Streams")]
    [InlineData("CryptoPlane.Esp", "CryptoPlane")]
    [InlineData("CryptoPlane.Ike", "CryptoPlane")]
    [InlineData("CryptoPlane.IO", "CryptoPlane")]
    [InlineData("CryptoPlane.Ipfix", "CryptoPlane")]
    public void A_package_names_its_licence_and_what_it_depends_on(string id, string? dependency)
    {
        using ZipArchive package = packages.Open(id);
        XElement metadata = XDocument.Parse(Text(package, $"{id}.nuspec")).Root!.Elements().Single();
        Assert.Equal("Apache-2.0", Value(metadata, "license"));
        Assert.Equal("README.md", Value(metadata, "readme"));
        Assert.NotEqual("Package Description", Value(metadata, "description"));
        string?[] dependencies = [.. metadata.Descendants().Where(element => element.Name.LocalName == "dependency")
            .Select(element => $"{element.Attribute("id")!.Value} {element.Attribute("version")!.Value}")];
        Assert.Equal(dependency == null ? [] : [$"{dependency} {PackedPackages.Version}"], dependencies);
    }

    [Fact]
    public void The_native_library_is_stripped_and_names_the_file_with_its_symbols()
    {
        using ZipArchive package = packages.Open("CryptoPlane");
        var library = new MemoryStream();
        using (Stream entry = package.GetEntry("runtimes/linux-x64/native/libcryptoplane_aead.so")!.Open())
            entry.CopyTo(library);

        string[] sections = ElfSections.Names(library.ToArray());
        Assert.Contains(".gnu_debuglink", sections);
        Assert.DoesNotContain(".debug_info", sections);
        Assert.DoesNotContain(".symtab", sections);
        string[] symbols = ElfSections.Names(File.ReadAllBytes(Path.Combine(packages.Directory, "libcryptoplane_aead.so.dbg")));
        Assert.Contains(".debug_info", symbols);
    }

    [Fact]
    public void The_same_sources_give_the_same_bytes_in_another_place()
    {
        // The native library was built in this repository too: that is its other place.
        string native = RepositoryRoot.PathOf("artifacts/native/linux-x64");
        using var directory = new TemporaryDirectory();
        string again = PackedPackages.Pack(PackedPackages.CopySources(directory.File("a/longer/path/to/the/sources")), native);

        string[] names = [.. Directory.EnumerateFiles(packages.Directory).Select(file => Path.GetFileName(file)).Order()];
        // A package and its symbols for each library, and those of the native one.
        Assert.Equal(17, names.Length);
        Assert.Equal(names, Directory.EnumerateFiles(again).Select(file => Path.GetFileName(file)).Order());
        foreach (string name in names)
            Assert.True(File.ReadAllBytes(Path.Combine(packages.Directory, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(again, name))), $"{name} differs.");
    }

    private static string? Value(XElement metadata, string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;

    private static string Text(ZipArchive package, string entry)
    {
        using var reader = new StreamReader(package.GetEntry(entry)!.Open());
        return reader.ReadToEnd();
    }
}
