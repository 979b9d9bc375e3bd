using System.Runtime.InteropServices;

namespace CryptoPlane.Buffers;

/// <summary>
/// Anonymous memory from the kernel: 2 MiB huge pages where some are reserved and the pool is big enough, else ordinary pages
/// with a request for transparent huge pages.
/// </summary>
public sealed unsafe partial class KernelPacketMemory : IPacketMemory
{
    private const nuint HugePage = 2 * 1024 * 1024;
    private const nuint OrdinaryPage = 4096;
    private const int ProtRead = 1, ProtWrite = 2;
    private const int MapPrivate = 0x02, MapAnonymous = 0x20, MapHugeTlb = 0x40000, MapPopulate = 0x8000;
    private const int MadvHugePage = 14;
    private const nint MapFailed = -1;

    /// <summary>The one instance: it has no state.</summary>
    public static KernelPacketMemory Instance { get; } = new();

    private KernelPacketMemory()
    {
    }

    /// <inheritdoc/>
    public byte* Allocate(nuint bytes, nuint alignment)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(alignment, OrdinaryPage);

        nuint length = MappedLength(bytes);
        if (length % HugePage == 0)
        {
            nint huge = Mmap(0, length, ProtRead | ProtWrite, MapPrivate | MapAnonymous | MapHugeTlb | MapPopulate, -1, 0);
            if (huge != MapFailed)
                return (byte*)huge;
        }
        nint memory = Mmap(0, length, ProtRead | ProtWrite, MapPrivate | MapAnonymous, -1, 0);
        if (memory == MapFailed)
            throw new OutOfMemoryException(
                $"mmap of {length} bytes of packet memory failed (errno {Marshal.GetLastPInvokeError()}): lower the pool sizes or raise the memory limit.");
        _ = Madvise(memory, length, MadvHugePage);
        return (byte*)memory;
    }

    /// <inheritdoc/>
    public void Free(byte* memory, nuint bytes)
    {
        nuint length = MappedLength(bytes);
        NativeMemory.Clear(memory, length);
        if (Munmap((nint)memory, length) != 0)
            throw new InvalidOperationException($"munmap failed (errno {Marshal.GetLastPInvokeError()}): the block was not allocated here, or freed twice.");
    }

    /// <summary>From half a huge page up, whole huge pages: the rest of the last one costs less than the TLB misses.</summary>
    private static nuint MappedLength(nuint bytes)
    {
        nuint page = bytes >= HugePage / 2 ? HugePage : OrdinaryPage;
        return (bytes + page - 1) & ~(page - 1);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Mmap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Munmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Madvise(nint address, nuint length, int advice);
}
