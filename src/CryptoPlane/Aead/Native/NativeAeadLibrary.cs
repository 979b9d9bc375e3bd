using System.Runtime.InteropServices;

namespace CryptoPlane.Aead.Native;

/// <summary>
/// libcryptoplane_aead.so, loaded once per process: beside the assembly, under <c>runtimes/linux-x64/native</c> of a package, or where the
/// system's loader finds it; or exactly where the environment variable says.
/// </summary>
internal sealed unsafe class NativeAeadLibrary
{
    /// <summary>CP_AEAD_ABI of the header that this assembly was written for.</summary>
    public const uint Abi = 1;

    /// <summary>Names a library file to load instead of looking for one.</summary>
    public const string PathVariable = "CRYPTOPLANE_AEAD_LIBRARY";

    /// <summary>Names the tier to use instead of the fastest.</summary>
    public const string TierVariable = "CRYPTOPLANE_AEAD_TIER";

    private const string FileName = "libcryptoplane_aead.so";

    private static readonly Lazy<(NativeAeadLibrary? Library, string Problem)> s_default = new(() =>
    {
        NativeAeadLibrary? library = TryLoad(Environment.GetEnvironmentVariable(PathVariable), out string problem);
        return (library, problem);
    });

    private readonly delegate* unmanaged<void*, byte, byte*, int> _expandKey;

    private NativeAeadLibrary(nint handle)
    {
        _expandKey = (delegate* unmanaged<void*, byte, byte*, int>)NativeLibrary.GetExport(handle, "cp_aead_expand_key");
        var tierAt = (delegate* unmanaged<nuint, nint>)NativeLibrary.GetExport(handle, "cp_aead_tier_at");
        var tiers = new List<NativeAeadTier>();
        for (nint tier; (tier = tierAt((nuint)tiers.Count)) != 0;)
            tiers.Add(new NativeAeadTier(tier));
        Tiers = tiers;
    }

    /// <summary>The process's library, or null.</summary>
    public static NativeAeadLibrary? Default => s_default.Value.Library;

    /// <summary>Why there is none, for people.</summary>
    public static string Problem => s_default.Value.Problem;

    /// <summary>The tiers that were built, the fastest first.</summary>
    public IReadOnlyList<NativeAeadTier> Tiers { get; }

    /// <summary>Loads a library. It stays loaded.</summary>
    /// <param name="path">The file; null or empty to look in the usual places.</param>
    /// <param name="problem">What is wrong, for people.</param>
    public static NativeAeadLibrary? TryLoad(string? path, out string problem)
    {
        nint handle;
        if (string.IsNullOrEmpty(path))
        {
            if (!NativeLibrary.TryLoad(FileName, typeof(NativeAeadLibrary).Assembly, DllImportSearchPath.AssemblyDirectory, out handle))
            {
                problem = $"{FileName} is not there, or not for this system";
                return null;
            }
        }
        else if (!Path.IsPathRooted(path) || !NativeLibrary.TryLoad(path, out handle))
        {
            problem = Path.IsPathRooted(path) ? $"{path} cannot be loaded" : $"'{path}' is not an absolute path";
            return null;
        }

        string name = string.IsNullOrEmpty(path) ? FileName : path;
        if (!NativeLibrary.TryGetExport(handle, "cp_aead_abi", out nint abi))
        {
            problem = $"{name} is not CryptoPlane's library";
            return null;
        }
        uint found = ((delegate* unmanaged<uint>)abi)();
        problem = found == Abi ? "" : $"{name} has interface {found}, and this assembly needs {Abi}: they come from different versions";
        return found == Abi ? new NativeAeadLibrary(handle) : null;
    }

    /// <summary>The tier of a name, or the fastest that this CPU has; null where the CPU has none.</summary>
    /// <exception cref="InvalidOperationException">There is no such tier, or the CPU lacks it; the message lists those that there are.</exception>
    public NativeAeadTier? Select(string? name)
    {
        if (string.IsNullOrEmpty(name) || name.Equals("auto", StringComparison.OrdinalIgnoreCase))
            return Tiers.FirstOrDefault(tier => tier.IsSupported);
        NativeAeadTier? wanted = Tiers.FirstOrDefault(tier => tier.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (wanted is { IsSupported: true })
            return wanted;
        string all = string.Join(", ", Tiers.Select(tier => tier.Name + (tier.IsSupported ? "" : " (not on this CPU)")));
        throw new InvalidOperationException(wanted == null
            ? $"There is no tier '{name}' of native AEAD kernels. There are: {all}."
            : $"This CPU lacks what the tier '{wanted.Name}' needs ({wanted.Instructions}). There are: {all}.");
    }

    /// <summary>Expands a key as the library does it: for the test that managed code does the same.</summary>
    internal bool TryExpandKey(AeadKeyBlock* block) => _expandKey(block, (byte)block->Algorithm, block->RawKey) != 0;
}
