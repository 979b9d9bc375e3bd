using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>A tier of libcryptoplane_aead.so, called straight: what it costs without the engine.</summary>
internal sealed unsafe class NativeTier
{
    private static readonly nint s_library = NativeLibrary.TryLoad(
        Path.Combine(AppContext.BaseDirectory, "libcryptoplane_aead.so"), out nint library) ? library : 0;

    private readonly Table* _table;

    private NativeTier(Table* table) => _table = table;

    /// <summary>The tiers that this CPU has, the fastest first; none where there is no native library.</summary>
    public static IReadOnlyList<NativeTier> Supported { get; } = [.. All().Where(tier => tier._table->IsSupported() != 0)];

    /// <summary>The tiers that were built, whatever the CPU.</summary>
    public static IReadOnlyList<string> Built { get; } = [.. All().Select(tier => tier.Name)];

    public string Name => Marshal.PtrToStringUTF8((nint)_table->Name) ?? "";

    /// <summary>What the tier needs of a CPU.</summary>
    public string Instructions => Marshal.PtrToStringUTF8((nint)_table->Instructions) ?? "";

    public void Run(AeadOperation* operations, int count) => _table->Run(operations, (nuint)count);

    /// <summary>Expands a key into memory of the caller's.</summary>
    public static bool TryExpandKey(byte* block, AeadAlgorithm algorithm, ReadOnlySpan<byte> key)
    {
        var expand = (delegate* unmanaged<byte*, byte, byte*, int>)NativeLibrary.GetExport(s_library, "cp_aead_expand_key");
        fixed (byte* raw = key)
            return expand(block, (byte)algorithm, raw) != 0;
    }

    private static IEnumerable<NativeTier> All()
    {
        if (s_library == 0)
            yield break;
        for (nuint index = 0; At(index) is { } tier; index++)
            yield return tier;
    }

    private static NativeTier? At(nuint index)
    {
        Table* table = ((delegate* unmanaged<nuint, Table*>)NativeLibrary.GetExport(s_library, "cp_aead_tier_at"))(index);
        return table == null ? null : new NativeTier(table);
    }

    /// <summary>cp_aead_tier of native/aead/include/cryptoplane_aead.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Table
    {
        public readonly byte* Name;
        public readonly byte* Instructions;
        public readonly delegate* unmanaged<int> IsSupported;
        public readonly delegate* unmanaged<AeadOperation*, nuint, void> Run;
    }
}
