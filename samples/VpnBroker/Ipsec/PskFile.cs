using System.Security.Cryptography;

namespace VpnBroker.Ipsec;

/// <summary>A file with a pre-shared key: its text, without the end of its only line.</summary>
internal static class PskFile
{
    private const int MaximumSize = 4096;

    /// <summary>Reads a key, which the caller zeroes.</summary>
    /// <exception cref="IOException">The file cannot be read, or is none of a key.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be read.</exception>
    public static byte[] Read(string path)
    {
        byte[] buffer = GC.AllocateArray<byte>(MaximumSize + 1, pinned: true);
        try
        {
            using FileStream file = File.OpenRead(path);
            int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length > MaximumSize)
                throw new IOException($"{path} has more than {MaximumSize} bytes.");
            ReadOnlySpan<byte> key = buffer.AsSpan(0, length).TrimEnd("\r\n"u8);
            byte[] result = GC.AllocateArray<byte>(key.Length, pinned: true);
            key.CopyTo(result);
            return result;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }
}
