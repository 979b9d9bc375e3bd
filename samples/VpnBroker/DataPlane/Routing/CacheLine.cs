using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace VpnBroker.DataPlane.Routing;

/// <summary>Hints to the CPU. A hint reads nothing that the program could see, and cannot fault, whatever the address.</summary>
internal static unsafe class CacheLine
{
    /// <summary>Asks for the line that an address is in, to be there when it is read some packets later.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(void* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }
}
