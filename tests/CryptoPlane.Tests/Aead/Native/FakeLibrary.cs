using CryptoPlane.Aead.Native;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Native;

/// <summary>Native libraries that are not as they should be, compiled on the spot.</summary>
internal sealed class FakeLibrary : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    /// <summary>Compiles C to a shared library.</summary>
    /// <returns>Its absolute path.</returns>
    public string Compile(string name, string source)
    {
        string compiler = Requirement.Program("cc", "gcc");
        string library = _directory.File($"lib{name}.so");
        string include = RepositoryRoot.PathOf("native", "aead", "include");
        ProgramResult result = ExternalProgram.Run(compiler, ["-shared", "-fPIC", "-O1", $"-I{include}", "-x", "c", "-", "-o", library], source);
        Assert.True(result.ExitCode == 0, result.AllOutput);
        return library;
    }

    /// <summary>
    /// A library of the right interface with one tier, <c>fake</c>, whose run is <paramref name="run"/> and may call <c>real</c>, the run of
    /// the process's own library; where <paramref name="withReal"/>, the real tier comes second.
    /// </summary>
    public string CompileTiers(string name, string run, bool withReal = false) => Compile(name, $$"""
        #include "cryptoplane_aead.h"
        #include <dlfcn.h>
        #include <string.h>
        static const cp_aead_tier *real_tier(void) {
            void *library = dlopen("{{RealLibrary}}", RTLD_NOW);
            return ((const cp_aead_tier *(*)(void))dlsym(library, "cp_aead_select"))();
        }
        static void real(cp_aead_operation *operations, size_t count) { real_tier()->run(operations, count); }
        static int yes(void) { return 1; }
        static void run(cp_aead_operation *operations, size_t count) { {{run}} }
        static const cp_aead_tier fake = {"fake", "nothing", yes, run};
        uint32_t cp_aead_abi(void) { return CP_AEAD_ABI; }
        const cp_aead_tier *cp_aead_tier_at(size_t i) { return i == 0 ? &fake : i == 1 && {{(withReal ? 1 : 0)}} ? real_tier() : NULL; }
        int cp_aead_expand_key(cp_aead_key *key, uint8_t algorithm, const uint8_t *raw) { return 0; }
        """);

    public void Dispose() => _directory.Dispose();

    private static string RealLibrary
    {
        get
        {
            Requirement.That(NativeAeadLibrary.Default?.Select(null).Length > 0, $"no native kernels: {NativeAeadLibrary.Problem} (run eng/build-native.sh)");
            return RepositoryRoot.PathOf("artifacts", "native", "linux-x64", "libcryptoplane_aead.so");
        }
    }
}
