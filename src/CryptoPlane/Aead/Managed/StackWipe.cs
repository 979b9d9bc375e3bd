using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>Overwrites the stack below the caller, where the kernels' frames were: they spill lanes of key stream and hash there.</summary>
internal static unsafe class StackWipe
{
    /// <summary>
    /// More than the deepest chain of frames below a caller of <see cref="Run"/>. The JIT says how large frames are
    /// (<c>DOTNET_JitDisasm</c>): those of the kernels have up to 400 bytes each, and at most two of them lie below each other.
    /// </summary>
    private const int Size = 1024;

    /// <summary>Once per burst, called where the kernels were called.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Run()
    {
        byte* stack = stackalloc byte[Size];
        for (int i = 0; i < Size; i += 128)
        {
            Vector256<byte>.Zero.Store(stack + i);
            Vector256<byte>.Zero.Store(stack + i + 32);
            Vector256<byte>.Zero.Store(stack + i + 64);
            Vector256<byte>.Zero.Store(stack + i + 96);
        }
    }
}
