using CryptoPlane.TestKit;

namespace CryptoPlane.Package.Tests;

/// <summary>
/// A console project outside of the repository that uses a package. Its only source of packages is the folder with the packages under
/// test, and what it restores goes into a folder of its own, so that nothing stale is taken.
/// </summary>
internal sealed class ConsumerProject : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    /// <summary>Makes the project.</summary>
    /// <param name="packages">The packages under test.</param>
    /// <param name="id">The package that the program uses.</param>
    /// <param name="program">Program.cs.</param>
    public ConsumerProject(PackedPackages packages, string id, string program)
    {
        File.WriteAllText(_directory.File("Program.cs"), program);
        File.WriteAllText(_directory.File("Example.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <AllowUnsafeBlocks>true</AllowUnsafeBlocks>
                <InvariantGlobalization>true</InvariantGlobalization>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="{id}" Version="{PackedPackages.Version}" />
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(_directory.File("NuGet.config"), $"""
            <configuration>
              <config>
                <add key="globalPackagesFolder" value="restored" />
              </config>
              <packageSources>
                <clear />
                <add key="packages-under-test" value="{packages.Directory}" />
              </packageSources>
              <fallbackPackageFolders>
                <clear />
              </fallbackPackageFolders>
            </configuration>
            """);
    }

    /// <summary>Where 'dotnet build' puts the program.</summary>
    public string Output => _directory.File("bin/Debug/net10.0");

    /// <summary>Where 'dotnet build' puts the native library of the package.</summary>
    public string NativeLibrary => Path.Combine(Output, "runtimes/linux-x64/native/libcryptoplane_aead.so");

    /// <summary>Restores and builds. NUGET_PACKAGES would have precedence over the project's NuGet.config.</summary>
    public void Build() => DotNet.Run(["build"], _directory.Path, ("NUGET_PACKAGES", null)).EnsureSuccess();

    /// <summary>Runs the program that was built.</summary>
    public ProgramResult Run(params IEnumerable<(string Name, string? Value)> environment) =>
        DotNet.Run([Path.Combine(Output, "Example.dll")], _directory.Path, environment);

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();
}
