using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>Overwrites what the kernels leave behind: spilled lanes in the stack below the caller, and the vector registers.</summary>
internal static unsafe class Scrub
{
    /// <summary>
    /// More than the deepest chain of frames below a caller of <see cref="Run"/>, as the JIT's listings show them (<c>DOTNET_JitDisasm</c>,
    /// .NET 10): a kernel's frame has at most 200 bytes, and at most three of them lie below each other.
    /// </summary>
    private const int StackSize = 1024;

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
    /// many as there are. Writing the lower part of a register with VEX or EVEX zeroes the rest of it too.
    /// </remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Run()
    {
        byte* stack = stackalloc byte[StackSize];
        // Sound: 32 vectors of 32 bytes, each 4 bytes behind the one before, begin behind the first 4 bytes (a load of
        // those would be folded into a constant) and end with the last.
        ref byte zeros = ref Unsafe.Add(ref MemoryMarshal.GetReference(Zeros), 4);
        var a = new EightVectors(ref zeros);
        var b = new EightVectors(ref Unsafe.Add(ref zeros, 32));
        if (Avx512F.IsSupported)
        {
            var c = new EightVectors(ref Unsafe.Add(ref zeros, 64));
            var d = new EightVectors(ref Unsafe.Add(ref zeros, 96));
            c.Store(stack + 512);
            d.Store(stack + 768);
        }
        else
        {
            a.Store(stack + 512);
            b.Store(stack + 768);
        }
        a.Store(stack);
        b.Store(stack + 256);
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
