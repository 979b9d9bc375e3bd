using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace VpnBroker.Storage;

/// <summary>Replaces a file at once and durably: after a crash there is the old content or the new, never a part.</summary>
public static partial class AtomicFile
{
    /// <summary>Mode 0600.</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a new file beside the old one, syncs it, puts it in the old one's place and syncs the directory.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">The whole new content.</param>
    /// <param name="mode">The file's mode.</param>
    /// <exception cref="IOException">A step failed; the old file is untouched, or wholly replaced.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        string temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode, BufferSize = 0 };
        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
        SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Makes a rename durable: the entry is in the directory, which has a sync of its own.</summary>
    private static void SyncDirectory(string directory)
    {
        const int readOnlyDirectory = 0x10000 | 0x80000; // O_RDONLY | O_DIRECTORY | O_CLOEXEC
        using SafeFileHandle handle = new(Open(directory, readOnlyDirectory), ownsHandle: true);
        if (handle.IsInvalid || Sync(handle) != 0)
            throw new IOException($"{directory} cannot be synced to disk: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle handle);
}
