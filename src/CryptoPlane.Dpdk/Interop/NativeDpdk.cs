using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Dpdk.Interop;

/// <summary>
/// The functions of native/dpdk, whose header documents them. They return a count or 0, and a negative errno where they fail.
/// </summary>
internal static unsafe partial class NativeDpdk
{
    /// <summary>CPD_ABI of the header that this was written for.</summary>
    public const uint Abi = 3;

    private const string Library = "cryptoplane_dpdk";

    [LibraryImport(Library, EntryPoint = "cpd_abi")]
    public static partial uint GetAbi();

    [LibraryImport(Library, EntryPoint = "cpd_runtime_directory")]
    public static partial byte* RuntimeDirectory();

    [LibraryImport(Library, EntryPoint = "cpd_socket_remove_stale", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SocketRemoveStale(string path);

    [LibraryImport(Library, EntryPoint = "cpd_dpdk_version")]
    public static partial byte* DpdkVersion();

    [LibraryImport(Library, EntryPoint = "cpd_eal_init")]
    public static partial int EalInit(int count, byte** arguments);

    [LibraryImport(Library, EntryPoint = "cpd_memory_allocate")]
    public static partial byte* MemoryAllocate(ulong bytes, uint alignment, int socket);

    [LibraryImport(Library, EntryPoint = "cpd_memory_free")]
    public static partial void MemoryFree(byte* memory, ulong bytes);

    [LibraryImport(Library, EntryPoint = "cpd_cryptodev_count")]
    public static partial int CryptodevCount();

    [LibraryImport(Library, EntryPoint = "cpd_cryptodev_find", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CryptodevFind(string name);

    [LibraryImport(Library, EntryPoint = "cpd_cryptodev_describe")]
    public static partial int CryptodevDescribe(int device, CryptodevDescription* description);

    [LibraryImport(Library, EntryPoint = "cpd_cryptodev_open")]
    public static partial int CryptodevOpen(int device, uint queuePairs, uint depth, uint sessions, nint* result);

    [LibraryImport(Library, EntryPoint = "cpd_cryptodev_close")]
    public static partial int CryptodevClose(nint device);

    [LibraryImport(Library, EntryPoint = "cpd_cryptodev_stop")]
    public static partial void CryptodevStop(nint device);

    [LibraryImport(Library, EntryPoint = "cpd_key_attach")]
    public static partial nint KeyAttach(nint device);

    [LibraryImport(Library, EntryPoint = "cpd_key_detach")]
    public static partial void KeyDetach(nint device, nint attachment);

    [LibraryImport(Library, EntryPoint = "cpd_queue_pair_open")]
    public static partial int QueuePairOpen(nint device, uint index, nint* result);

    [LibraryImport(Library, EntryPoint = "cpd_queue_pair_close")]
    public static partial void QueuePairClose(nint queue);

    [LibraryImport(Library, EntryPoint = "cpd_queue_pair_submit")]
    public static partial uint QueuePairSubmit(nint queue, AeadOperation* operations, uint count);

    [LibraryImport(Library, EntryPoint = "cpd_queue_pair_poll")]
    public static partial uint QueuePairPoll(nint queue, AeadOperation** completed, uint capacity, uint* others);

    [LibraryImport(Library, EntryPoint = "cpd_queue_pair_abandon")]
    public static partial void QueuePairAbandon(nint queue);
}

/// <summary>cpd_cryptodev_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CryptodevDescription
{
    public const int NameSize = 64;

    public fixed byte Name[NameSize];
    public fixed byte Driver[NameSize];
    public uint MaxQueuePairs;
    public int Socket;
    public ushort AadMax, AadIncrement;
    public byte Aes128Gcm, Aes256Gcm, OutOfPlace, IsHardware;

    static CryptodevDescription()
    {
        if (Unsafe.SizeOf<CryptodevDescription>() != (2 * NameSize) + 16)
            throw new InvalidOperationException("CryptodevDescription must have the layout of cpd_cryptodev_info.");
    }
}
