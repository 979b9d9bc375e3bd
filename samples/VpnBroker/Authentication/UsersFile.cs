using System.Text;

namespace VpnBroker.Authentication;

/// <summary>One user of the users file.</summary>
/// <param name="Name">The name.</param>
/// <param name="Groups">The groups; may be empty.</param>
/// <param name="Hash">The password's hash.</param>
public sealed record UserEntry(string Name, IReadOnlyList<string> Groups, PasswordHash Hash)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name}:{string.Join(',', Groups)}:{Hash}";
}

/// <summary>The users file: a line <c>name:group[,group]:pbkdf2-sha256$iterations$salt$hash</c> per user; lines with # are comments.</summary>
/// <remarks>An object is a snapshot. Changes are written to a new file that takes the old one's place at once.</remarks>
public sealed class UsersFile
{
    private readonly Dictionary<string, UserEntry> _users = new(StringComparer.Ordinal);

    /// <summary>The users, in no order.</summary>
    public IReadOnlyCollection<UserEntry> Users => _users.Values;

    /// <summary>The most iterations of any user's hash: what every log-in costs.</summary>
    public int MaxIterations => _users.Count == 0 ? PasswordHash.DefaultIterations : _users.Values.Max(user => user.Hash.Iterations);

    /// <summary>Finds a user.</summary>
    public UserEntry? Find(string name) => _users.GetValueOrDefault(name);

    /// <summary>Reads a file.</summary>
    /// <exception cref="UsersFileException">It cannot be read or a line is wrong.</exception>
    public static UsersFile Load(string path)
    {
        try
        {
            return Parse(path, File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsersFileException($"{path}: the users file cannot be read: {e.Message} (broker user add makes it)");
        }
    }

    /// <summary>Parses a file's text.</summary>
    /// <inheritdoc cref="Load" path="/exception"/>
    public static UsersFile Parse(string path, string text)
    {
        var file = new UsersFile();
        int number = 0;
        foreach (string raw in text.Split('\n'))
        {
            number++;
            string line = raw.TrimEnd('\r');
            if (line.Length == 0 || line[0] == '#')
                continue;
            string[] fields = line.Split(':');
            if (fields.Length != 3 || !IsName(fields[0]))
                throw new UsersFileException($"{path}:{number}: write name:group,group:hash (broker user add does it)");
            string[] groups = fields[1].Length == 0 ? [] : fields[1].Split(',');
            if (!groups.All(IsName))
                throw new UsersFileException($"{path}:{number}: separate group names by commas, without spaces");
            if (!PasswordHash.TryParse(fields[2], out PasswordHash? hash))
                throw new UsersFileException($"{path}:{number}: the hash must look like pbkdf2-sha256$600000$salt$hash (broker user add makes it)");
            if (!file._users.TryAdd(fields[0], new UserEntry(fields[0], groups, hash!)))
                throw new UsersFileException($"{path}:{number}: the user {fields[0]} is there twice: remove one line");
        }
        return file;
    }

    /// <summary>Whether a text can be the name of a user or a group.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '@' or '\\' or '+');

    /// <summary>Adds a user or replaces one of the same name, and keeps comments and the order of lines.</summary>
    /// <exception cref="UsersFileException">The file cannot be read or written, or is wrong.</exception>
    public static void Set(string path, UserEntry entry) => Rewrite(path, entry.Name, entry.ToString(), create: true);

    /// <summary>Removes a user.</summary>
    /// <returns>False when there is no such user.</returns>
    /// <inheritdoc cref="Set" path="/exception"/>
    public static bool Remove(string path, string name) => Rewrite(path, name, null, create: false);

    private static bool Rewrite(string path, string name, string? replacement, bool create)
    {
        try
        {
            string text = create && !File.Exists(path) ? "# name:groups:hash, written by \"broker user add\"\n" : File.ReadAllText(path);
            bool found = Parse(path, text).Find(name) is not null;
            if (!found && replacement is null)
                return false;
            List<string> lines = [.. text.TrimEnd('\n').Split('\n')];
            int index = lines.FindIndex(line => line.StartsWith(name + ":", StringComparison.Ordinal));
            if (replacement is null)
                lines.RemoveAt(index);
            else if (found)
                lines[index] = replacement;
            else
                lines.Add(replacement);
            Storage.AtomicFile.Write(path, Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"), Storage.AtomicFile.OwnerOnly);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsersFileException($"{path}: the users file cannot be changed: {e.Message}");
        }
    }
}

/// <summary>A users file that cannot be used; the message says what to do.</summary>
public sealed class UsersFileException(string message) : Exception(message);
