using System.Runtime.InteropServices;

namespace CryptoPlane.TestKit;

/// <summary>Where a <see cref="NativeBuffer"/> has a page that kills the process when it is touched.</summary>
public enum GuardPage
{
    /// <summary>None: the buffer is aligned memory.</summary>
    None,

    /// <summary>Directly before the first byte: finds reads and writes below the buffer.</summary>
    Before,

    /// <summary>Directly behind the last byte: finds reads and writes past the buffer.</summary>
    Behind,
}

/// <summary>Memory outside the garbage-collected heap for tests that pass pointers, optionally with a guard page at one end.</summary>
public sealed unsafe partial class NativeBuffer : IDisposable
{
    private const int ProtNone = 0, ProtRead = 1, ProtWrite = 2, MapPrivate = 2, MapAnonymous = 0x20;

    private void* _mapping;
    private readonly nuint _mappingLength;

    /// <summary>Takes zeroed memory.</summary>
    /// <param name="length">Bytes; 0 is allowed, and with a guard page the pointer then touches it.</param>
    /// <param name="guard">Where the guard page lies. With <see cref="GuardPage.Behind"/> the start is aligned only as the length is.</param>
    /// <param name="alignment">Of the first byte, without a guard page: a power of two.</param>
    public NativeBuffer(int length, GuardPage guard = GuardPage.None, int alignment = 64)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        if (guard == GuardPage.None)
        {
            Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), (nuint)alignment);
            NativeMemory.Clear(Pointer, (nuint)length);
            return;
        }
        int page = Environment.SystemPageSize;
        int body = Math.Max(page, (length + page - 1) / page * page);
        _mappingLength = (nuint)(body + page);
        _mapping = Map(null, _mappingLength, ProtRead | ProtWrite, MapPrivate | MapAnonymous, -1, 0);
        if (_mapping == (void*)-1)
            throw new InvalidOperationException($"mmap of {_mappingLength} bytes failed: error {Marshal.GetLastPInvokeError()}.");
        byte* guardPage = guard == GuardPage.Before ? (byte*)_mapping : (byte*)_mapping + body;
        Pointer = guard == GuardPage.Before ? guardPage + page : guardPage - length;
        if (Protect(guardPage, (nuint)page, ProtNone) != 0)
            throw new InvalidOperationException($"mprotect failed: error {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>Takes memory that holds a copy of some bytes.</summary>
    public NativeBuffer(ReadOnlySpan<byte> content, GuardPage guard = GuardPage.None, int alignment = 64) : this(content.Length, guard, alignment) =>
        content.CopyTo(Span);

    /// <summary>The first byte.</summary>
    public byte* Pointer { get; private set; }

    /// <summary>Bytes of the buffer.</summary>
    public int Length { get; }

    /// <summary>The whole buffer.</summary>
    public Span<byte> Span => new(Pointer, Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Sound: the constructor took Pointer either from AlignedAlloc or inside _mapping, and both are given back once.
        if (_mapping != null)
            _ = Unmap(_mapping, _mappingLength);
        else if (Pointer != null)
            NativeMemory.AlignedFree(Pointer);
        _mapping = null;
        Pointer = null;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint length);
}
