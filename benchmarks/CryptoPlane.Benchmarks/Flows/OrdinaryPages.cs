using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>Memory of ordinary pages: for runs where the peer has no huge pages either.</summary>
internal sealed unsafe class OrdinaryPages : IPacketMemory
{
    public byte* Allocate(nuint bytes, nuint alignment)
    {
        var memory = (byte*)NativeMemory.AlignedAlloc(bytes, alignment);
        NativeMemory.Clear(memory, bytes);
        return memory;
    }

    public void Free(byte* memory, nuint bytes) => NativeMemory.AlignedFree(memory);
}
