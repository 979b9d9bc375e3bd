using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>Overwrites what the kernels leave behind: spilled lanes in the stack below the caller, and the vector registers.</summary>
internal static unsafe class Scrub
{
    /// <summary>
    /// More than the deepest chain of frames below a caller of <see cref="Run"/>, as the JIT's listings show them (<c>DOTNET_JitDisasm</c>,
    /// .NET 10): 650 bytes, and 850 where vectors of 512 bits are spilled.
    /// </summary>
    private const int StackSize = 768, WideStackSize = 1024;

    /// <summary>The same for <see cref="GcmHybridKernel"/>, whose frames hold vectors of 512 bits: 1,900 bytes altogether.</summary>
    private const int LargeStackSize = 3072;

    /// <summary>Zeros that the JIT does not know to be zeros.</summary>
    private static ReadOnlySpan<byte> Zeros =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    /// <summary>Once per burst, called where the kernels were called.</summary>
    /// <remarks>
    /// C# cannot name registers. But vectors that are all loaded before the first of them is stored must be in registers at once: as
    /// many as there are, of the 24 or 32 here. Writing the lower part of a register with VEX or EVEX zeroes the rest of it too.
    /// </remarks>
    /// <param name="wide">Whether kernels with vectors of more than 128 bits ran, which use more registers and stack.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Run(bool wide)
    {
        byte* stack = stackalloc byte[WideStackSize];
        byte* top = stack + WideStackSize;
        // Sound: 32 vectors of 32 bytes, each 4 bytes behind the one before, begin behind the first 4 bytes (a load of
        // those would be folded into a constant) and end with the last.
        ref byte zeros = ref Unsafe.Add(ref MemoryMarshal.GetReference(Zeros), 4);
        var a = new EightVectors(ref zeros);
        var b = new EightVectors(ref Unsafe.Add(ref zeros, 32));
        var c = new EightVectors(ref Unsafe.Add(ref zeros, 64));
        if (wide)
        {
            var d = new EightVectors(ref Unsafe.Add(ref zeros, 96));
            d.Store(stack);
        }
        c.Store(top - StackSize);
        b.Store(top - StackSize + 256);
        a.Store(top - StackSize + 512);
    }

    /// <summary>Once per list of large messages, called where <see cref="GcmHybridKernel"/> was: the stack, further down.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void LargeStack()
    {
        byte* stack = stackalloc byte[LargeStackSize];
        NativeMemory.Clear(stack, LargeStackSize);
    }

    private readonly struct EightVectors
    {
        private readonly Vector256<byte> _v0, _v1, _v2, _v3, _v4, _v5, _v6, _v7;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public EightVectors(ref byte source)
        {
            _v0 = Vector256.LoadUnsafe(ref source);
            _v1 = Vector256.LoadUnsafe(ref source, 4);
            _v2 = Vector256.LoadUnsafe(ref source, 8);
            _v3 = Vector256.LoadUnsafe(ref source, 12);
            _v4 = Vector256.LoadUnsafe(ref source, 16);
            _v5 = Vector256.LoadUnsafe(ref source, 20);
            _v6 = Vector256.LoadUnsafe(ref source, 24);
            _v7 = Vector256.LoadUnsafe(ref source, 28);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(byte* destination)
        {
            _v0.Store(destination);
            _v1.Store(destination + 32);
            _v2.Store(destination + 64);
            _v3.Store(destination + 96);
            _v4.Store(destination + 128);
            _v5.Store(destination + 160);
            _v6.Store(destination + 192);
            _v7.Store(destination + 224);
        }
    }
}
