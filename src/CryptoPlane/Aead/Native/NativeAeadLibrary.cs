using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace CryptoPlane.Aead.Native;

/// <summary>
/// libcryptoplane_aead.so, loaded once per process: beside the assembly, under <c>runtimes/linux-x64/native</c> of a package, or where the
/// system's loader finds it, which is never the current directory; or exactly where an option or the environment variable says.
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

    // Every lcore makes an engine: a file is looked at once, and its tiers test themselves once. The key is the path, empty for the usual places.
    private static ImmutableDictionary<string, Lazy<(NativeAeadLibrary? Library, string Problem)>> s_loaded =
        ImmutableDictionary<string, Lazy<(NativeAeadLibrary? Library, string Problem)>>.Empty;

    private readonly delegate* unmanaged<void*, byte, byte*, int> _expandKey;

    private NativeAeadLibrary(nint tierAt, nint expandKey)
    {
        _expandKey = (delegate* unmanaged<void*, byte, byte*, int>)expandKey;
        var tiers = new List<NativeAeadTier>();
        for (nint tier; (tier = ((delegate* unmanaged<nuint, nint>)tierAt)((nuint)tiers.Count)) != 0;)
            tiers.Add(new NativeAeadTier(tier));
        Tiers = tiers;
    }

    /// <summary>The process's library, or null.</summary>
    public static NativeAeadLibrary? Default => Load(Environment.GetEnvironmentVariable(PathVariable)).Library;

    /// <summary>Why there is none, for people.</summary>
    public static string Problem => Load(Environment.GetEnvironmentVariable(PathVariable)).Problem;

    /// <summary>The tiers that were built, the fastest first.</summary>
    public IReadOnlyList<NativeAeadTier> Tiers { get; }

    /// <summary>A library, loaded once per process and path; or why there is none.</summary>
    /// <param name="path">The file; null or empty to look in the usual places.</param>
    public static (NativeAeadLibrary? Library, string Problem) Load(string? path) =>
        ImmutableInterlocked.GetOrAdd(ref s_loaded, path ?? "", static path => new(() => (TryLoad(path, out string problem), problem))).Value;

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
        if (found != Abi)
        {
            problem = $"{name} has interface {found}, and this assembly needs {Abi}: they come from different versions";
            return null;
        }
        if (!NativeLibrary.TryGetExport(handle, "cp_aead_tier_at", out nint tierAt) || !NativeLibrary.TryGetExport(handle, "cp_aead_expand_key", out nint expandKey))
        {
            problem = $"{name} lacks functions of interface {Abi}";
            return null;
        }
        problem = "";
        return new NativeAeadLibrary(tierAt, expandKey);
    }

    /// <summary>The tier of a name, or all that this CPU has, the fastest first.</summary>
    /// <exception cref="InvalidOperationException">There is no such tier, or the CPU lacks it; the message lists those that there are.</exception>
    public NativeAeadTier[] Select(string? name)
    {
        if (string.IsNullOrEmpty(name) || name.Equals("auto", StringComparison.OrdinalIgnoreCase))
            return [.. Tiers.Where(tier => tier.IsSupported)];
        NativeAeadTier? wanted = Tiers.FirstOrDefault(tier => tier.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (wanted is { IsSupported: true })
            return [wanted];
        string all = string.Join(", ", Tiers.Select(tier => tier.Name + (tier.IsSupported ? "" : " (not on this CPU)")));
        throw new InvalidOperationException(wanted == null
            ? $"There is no tier '{name}' of native AEAD kernels. There are: {all}."
            : $"This CPU lacks what the tier '{wanted.Name}' needs ({wanted.Instructions}). There are: {all}.");
    }

    /// <summary>Expands a key. Managed code gives the same bytes, and does it wherever the runtime knows of the CPU's AES-NI.</summary>
    /// <returns>False where the CPU lacks AES-NI or PCLMULQDQ.</returns>
    internal bool TryExpandKey(AeadKeyBlock* block) => _expandKey(block, (byte)block->Algorithm, block->RawKey) != 0;
}
