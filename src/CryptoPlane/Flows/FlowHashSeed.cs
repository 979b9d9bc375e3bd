using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace CryptoPlane.Flows;

/// <summary>The secret of a table's hash: 96 random bytes, drawn anew for every table, that never leave the process.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowHashSeed
{
    /// <summary>Added to the first, second, third and fourth 16 bytes of a key.</summary>
    internal Vector128<byte> Lane0, Lane1, Lane2, Lane3;

    /// <summary>Round keys.</summary>
    internal Vector128<byte> Round0, Round1;

    /// <summary>Draws a seed from the system's random number generator.</summary>
    public static FlowHashSeed Random()
    {
        Unsafe.SkipInit(out FlowHashSeed seed);
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(new Span<FlowHashSeed>(ref seed)));
        return seed;
    }
}
