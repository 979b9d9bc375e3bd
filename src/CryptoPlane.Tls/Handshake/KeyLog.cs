using System.Text;

namespace CryptoPlane.Tls.Handshake;

/// <summary>The key log of NSS's format, which Wireshark reads. Off unless <see cref="TlsOptions.EnableKeyLog"/> and the environment variable are both set.</summary>
internal static class KeyLog
{
    // One writer for the process: its lines must not run into one another. Debugging only, so its lock disturbs nobody.
    private static readonly Lazy<TextWriter?> File = new(Open);

    public static void Write(string label, ReadOnlySpan<byte> clientRandom, ReadOnlySpan<byte> secret) =>
        File.Value?.WriteLine($"{label} {Convert.ToHexStringLower(clientRandom)} {Convert.ToHexStringLower(secret)}");

    private static TextWriter? Open()
    {
        string? path = Environment.GetEnvironmentVariable(TlsOptions.KeyLogVariable);
        if (string.IsNullOrEmpty(path))
            return null;
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return TextWriter.Synchronized(new StreamWriter(path, new UTF8Encoding(false), options) { AutoFlush = true });
    }
}
