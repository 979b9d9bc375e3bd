using System.Security.Cryptography;
using System.Text;
using CryptoPlane.Ike.Authentication.Eap;
using VpnBroker.Storage;

namespace VpnBroker.Authentication;

/// <summary>
/// The file of NT hashes for log-ins by IKEv2: a line <c>name:hash</c> per user, the hash in 32 hexadecimal digits; lines with # are comments.
/// </summary>
/// <remarks>
/// A hash is as good as its password, so the file is its owner's alone (mode 0600). Its text and the hashes lie in memory that the garbage
/// collector does not move, and are zeroed. Changes are written to a new file that takes the old one's place at once.
/// </remarks>
public sealed class IkeUsersFile : IDisposable
{
    private const int MaximumSize = 1 << 26;

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly byte[] _hashes;

    private IkeUsersFile(int users) => _hashes = GC.AllocateArray<byte>(users * EapPassword.HashLength, pinned: true);

    /// <summary>The users, in no order.</summary>
    public IReadOnlyCollection<string> Users => _places.Keys;

    /// <summary>Reads a file.</summary>
    /// <exception cref="UsersFileException">It cannot be read, others can read it, or a line is wrong.</exception>
    public static IkeUsersFile Load(string path)
    {
        byte[] text = Read(path);
        try
        {
            return Parse(path, text);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    /// <summary>Parses a file's text, of which the caller zeroes its copy.</summary>
    /// <exception cref="UsersFileException">A line is wrong.</exception>
    public static IkeUsersFile Parse(string path, ReadOnlySpan<byte> text)
    {
        var file = new IkeUsersFile(text.Count((byte)'\n') + 1);
        try
        {
            int number = 0;
            foreach (Range range in text.Split((byte)'\n'))
                file.Add(path, ++number, text[range].TrimEnd((byte)'\r'));
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether a user has a hash.</summary>
    public bool Contains(string name) => _places.ContainsKey(name);

    /// <summary>Copies a user's hash.</summary>
    /// <returns>False when there is no such user.</returns>
    public bool TryGetHash(string name, Span<byte> ntHash)
    {
        if (!_places.TryGetValue(name, out int place))
            return false;
        _hashes.AsSpan(place, EapPassword.HashLength).CopyTo(ntHash);
        return true;
    }

    /// <summary>Adds a user or gives one another hash.</summary>
    /// <exception cref="UsersFileException">The file cannot be read or written, or is wrong.</exception>
    public static void Set(string path, string name, ReadOnlySpan<byte> ntHash)
    {
        byte[] line = GC.AllocateArray<byte>(name.Length + 2 + (2 * EapPassword.HashLength), pinned: true);
        try
        {
            int length = Encoding.ASCII.GetBytes(name, line);
            line[length++] = (byte)':';
            Convert.TryToHexStringLower(ntHash[..EapPassword.HashLength], line.AsSpan(length), out int digits);
            line[length + digits] = (byte)'\n';
            Rewrite(path, name, line, create: true);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(line);
        }
    }

    /// <summary>Removes a user.</summary>
    /// <returns>False when there is no such user, or no file.</returns>
    /// <inheritdoc cref="Set" path="/exception"/>
    public static bool Remove(string path, string name) => File.Exists(path) && Rewrite(path, name, [], create: false);

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_hashes);
        _places.Clear();
    }

    private void Add(string path, int number, ReadOnlySpan<byte> line)
    {
        if (line.Length == 0 || line[0] == '#')
            return;
        // The message says nothing of what is behind the colon.
        int colon = line.IndexOf((byte)':');
        string name = colon < 0 ? "" : Encoding.Latin1.GetString(line[..colon]);
        if (!UsersFile.IsName(name))
            throw new UsersFileException($"{path}:{number}: write name:hash (broker user add --ikev2 does it)");
        int place = _places.Count * EapPassword.HashLength;
        if (Convert.FromHexString(line[(colon + 1)..], _hashes.AsSpan(place, EapPassword.HashLength), out int read, out int written) != System.Buffers.OperationStatus.Done
            || written != EapPassword.HashLength || read != line.Length - colon - 1)
        {
            throw new UsersFileException($"{path}:{number}: the NT hash of {name} has {2 * EapPassword.HashLength} hexadecimal digits (broker user add --ikev2 makes it)");
        }
        if (!_places.TryAdd(name, place))
            throw new UsersFileException($"{path}:{number}: the user {name} is there twice: remove one line");
    }

    private static bool Rewrite(string path, string name, ReadOnlySpan<byte> replacement, bool create)
    {
        byte[] text = create && !File.Exists(path) ? "# name:NT hash, as secret as the passwords; written by \"broker user add --ikev2\"\n"u8.ToArray() : Read(path);
        byte[] changed = GC.AllocateArray<byte>(text.Length + replacement.Length + 1, pinned: true);
        try
        {
            using IkeUsersFile before = Parse(path, text);
            bool found = before.Contains(name);
            if (!found && replacement.Length == 0)
                return false;
            byte[] start = Encoding.ASCII.GetBytes(name + ":");
            int length = 0;
            ReadOnlySpan<byte> rest = text.AsSpan().TrimEnd("\r\n"u8);
            foreach (Range range in rest.Split((byte)'\n'))
            {
                ReadOnlySpan<byte> line = rest[range];
                if (line.StartsWith(start))
                    continue;
                line.CopyTo(changed.AsSpan(length));
                changed[length + line.Length] = (byte)'\n';
                length += line.Length + 1;
            }
            replacement.CopyTo(changed.AsSpan(length));
            AtomicFile.Write(path, changed.AsSpan(0, length + replacement.Length), AtomicFile.OwnerOnly);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsersFileException($"{path}: the file of NT hashes cannot be changed: {e.Message}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
            CryptographicOperations.ZeroMemory(changed);
        }
    }

    /// <summary>The file's bytes, which the caller zeroes.</summary>
    private static byte[] Read(string path)
    {
        try
        {
            using FileStream file = new(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
            if ((File.GetUnixFileMode(file.SafeFileHandle) & Others) != 0)
                throw new UsersFileException($"{path}: others can read or change the NT hashes, which are as good as passwords: chmod 600 it");
            if (file.Length > MaximumSize)
                throw new UsersFileException($"{path}: the file of NT hashes has more than {MaximumSize} bytes");
            byte[] text = GC.AllocateArray<byte>((int)file.Length, pinned: true);
            file.ReadExactly(text);
            return text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsersFileException($"{path}: the file of NT hashes cannot be read: {e.Message} (broker user add --ikev2 makes it)");
        }
    }
}
