using System.Text;

namespace CryptoPlane.Ike.KeyLog;

/// <summary>
/// The files that Wireshark reads keys from, for debugging: <c>ikev2_decryption_table</c> and <c>esp_sa</c> in a directory that the environment
/// variable <see cref="DirectoryVariable"/> names. Copied into Wireshark's profile, or named by its -o option, they decrypt a capture.
/// </summary>
/// <remarks>
/// Never to be on in production: whoever reads the files reads everything. So it takes two to turn it on, as with TLS: the caller's option and
/// the variable. The files are readable for their owner only. One thread.
/// </remarks>
public sealed class IkeKeyLogFiles : IDisposable
{
    /// <summary>The environment variable that names the directory.</summary>
    public const string DirectoryVariable = "IKEKEYLOGDIR";

    private readonly StreamWriter _ike, _esp;

    private IkeKeyLogFiles(string directory)
    {
        _ike = Open(Path.Combine(directory, "ikev2_decryption_table"));
        try
        {
            _esp = Open(Path.Combine(directory, "esp_sa"));
        }
        catch
        {
            _ike.Dispose();
            throw;
        }
    }

    /// <summary>Opens the files, if both the caller and the environment say so.</summary>
    /// <param name="enabled">The caller's option.</param>
    /// <returns>Null if one of the two does not.</returns>
    /// <exception cref="IOException">The directory is not there, or a file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">A file must not be written.</exception>
    public static IkeKeyLogFiles? Open(bool enabled)
    {
        string? directory = Environment.GetEnvironmentVariable(DirectoryVariable);
        return enabled && !string.IsNullOrEmpty(directory) ? new IkeKeyLogFiles(directory) : null;
    }

    /// <summary>Appends a line of <see cref="IkeEndpointOptions.KeyLog"/>.</summary>
    public void WriteIke(string line) => _ike.WriteLine(line);

    /// <summary>Appends the lines of a child SA.</summary>
    public void WriteEsp(ChildSaInstalled child)
    {
        foreach (string line in EspKeyLogLine.Create(child))
            _esp.WriteLine(line);
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        _ike.Dispose();
        _esp.Dispose();
    }

    private static StreamWriter Open(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new StreamWriter(path, new UTF8Encoding(false), options) { AutoFlush = true };
    }
}
