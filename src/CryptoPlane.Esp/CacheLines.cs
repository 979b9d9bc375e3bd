using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Esp;

/// <summary>Hints to the CPU. A hint reads nothing that the program could see, and cannot fault, whatever the address.</summary>
internal static unsafe class CacheLines
{
    /// <summary>How many packets ahead of the one in work something is asked for: enough for memory to answer meanwhile.</summary>
    public const int Ahead = 8;

    /// <summary>Where what was asked for <see cref="Ahead"/> has come, and names what is to be asked for next.</summary>
    public const int HalfAhead = 4;

    /// <summary>Asks for the line that an address is in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(void* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }
}
