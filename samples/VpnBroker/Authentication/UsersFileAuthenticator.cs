using VpnBroker.Configuration;

namespace VpnBroker.Authentication;

/// <summary>Authenticates by user name and password from a <see cref="UsersFile"/>.</summary>
/// <remarks>
/// Every attempt costs the same work, whether the user exists or not and whatever the user's own iteration count is: the most
/// iterations that any user has. Hashing runs on a bounded number of threads, and the file is read again when it has changed.
/// </remarks>
public sealed class UsersFileAuthenticator : IAuthenticator, IDisposable
{
    private static readonly AuthenticationForm s_form = new(null,
        [new FormField("username", "Username:", Secret: false), new FormField("password", "Password:", Secret: true)]);

    private readonly SemaphoreSlim _hashers = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly Lock _gate = new();
    private readonly string _path;
    private Snapshot _current;
    private long _iterations;

    /// <summary>Reads the users file.</summary>
    /// <param name="config">Where it is.</param>
    /// <exception cref="UsersFileException">The file cannot be read or is wrong.</exception>
    public UsersFileAuthenticator(AuthenticationConfig config)
    {
        _path = config.UsersFile;
        _current = Read();
    }

    /// <summary>PBKDF2 iterations that log-ins have cost so far.</summary>
    public long IterationsSpent => Interlocked.Read(ref _iterations);

    /// <summary>Reads the file again now, when it has changed.</summary>
    /// <returns>The users.</returns>
    /// <exception cref="UsersFileException">The file cannot be read or is wrong: the users of before stay.</exception>
    public UsersFile Refresh()
    {
        lock (_gate)
        {
            if (Stamp.Of(_path) != _current.Stamp)
                _current = Read();
            return _current.Users;
        }
    }

    /// <summary>Finds a user of now, or of before when the file cannot be read.</summary>
    public UserEntry? Find(string name)
    {
        try
        {
            return Refresh().Find(name);
        }
        catch (UsersFileException)
        {
            lock (_gate)
                return _current.Users.Find(name);
        }
    }

    /// <inheritdoc/>
    public IAuthenticationDialog Begin(AuthenticationContext context) => new Dialog(this);

    /// <inheritdoc/>
    public void Dispose() => _hashers.Dispose();

    private async ValueTask<AuthenticationStep> CheckAsync(string name, string password, CancellationToken cancellation)
    {
        Snapshot snapshot;
        string? problem = null;
        try
        {
            Refresh();
        }
        catch (UsersFileException e)
        {
            problem = e.Message;
        }
        lock (_gate)
            snapshot = _current;

        UserEntry? user = snapshot.Users.Find(name);
        PasswordHash hash = user?.Hash ?? snapshot.Unmatchable;
        await _hashers.WaitAsync(cancellation);
        bool matches;
        try
        {
            matches = await Task.Run(() => Compare(hash, password, snapshot.Users.MaxIterations), CancellationToken.None);
        }
        finally
        {
            _hashers.Release();
        }
        if (user is not null && matches)
            return new AuthenticationStep.Accepted(user.Name, user.Groups);
        string reason = user is null ? "unknown user" : "wrong password";
        return new AuthenticationStep.Rejected(name, problem is null ? reason : $"{reason} (the users of before still count: {problem})");
    }

    private bool Compare(PasswordHash hash, string password, int iterations)
    {
        bool matches = hash.Matches(password);
        PasswordHash.Spend(password, iterations - hash.Iterations);
        Interlocked.Add(ref _iterations, iterations);
        return matches;
    }

    private Snapshot Read()
    {
        Stamp stamp = Stamp.Of(_path);
        UsersFile users = UsersFile.Load(_path);
        return new Snapshot(stamp, users, PasswordHash.CreateUnmatchable(users.MaxIterations));
    }

    private sealed record Snapshot(Stamp Stamp, UsersFile Users, PasswordHash Unmatchable);

    /// <summary>What tells that the file has changed.</summary>
    private readonly record struct Stamp(DateTime Modified, long Length)
    {
        public static Stamp Of(string path)
        {
            var info = new FileInfo(path);
            return info.Exists ? new Stamp(info.LastWriteTimeUtc, info.Length) : default;
        }
    }

    private sealed class Dialog(UsersFileAuthenticator owner) : IAuthenticationDialog
    {
        public AuthenticationForm FirstForm => s_form;

        public ValueTask<AuthenticationStep> AnswerAsync(IReadOnlyDictionary<string, string> answers, CancellationToken cancellation) =>
            owner.CheckAsync(answers.GetValueOrDefault("username", ""), answers.GetValueOrDefault("password", ""), cancellation);
    }
}
