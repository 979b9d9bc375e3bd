using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;

namespace VpnBroker.Authentication;

/// <summary>
/// IKEv2's users by files: the users file says who there is and in which groups, the file of NT hashes who of them has a password for IKEv2.
/// </summary>
/// <remarks>Both are read again when they have changed. Control threads call it from anywhere.</remarks>
public sealed partial class FileIkeUsers : IIkeUserSource
{
    private readonly Lock _gate = new();
    private readonly Func<UsersFile> _users;
    private readonly string? _path;
    private readonly ILogger _logger;
    private IkeUsersFile? _hashes;
    private (DateTime Modified, long Length) _stamp;
    private string? _problem;

    /// <summary>Reads the file of NT hashes, if the configuration names one.</summary>
    /// <param name="config">Where it is.</param>
    /// <param name="users">The users file of now.</param>
    /// <param name="logger">The log.</param>
    /// <exception cref="UsersFileException">The file cannot be read or is wrong.</exception>
    public FileIkeUsers(AuthenticationConfig config, Func<UsersFile> users, ILogger logger)
    {
        _users = users;
        _path = config.IkeUsersFile;
        _logger = logger;
        Refresh();
    }

    /// <inheritdoc/>
    public bool TryGetHash(string name, Span<byte> ntHash)
    {
        lock (_gate)
        {
            Try(Refresh);
            return (_hashes?.TryGetHash(name, ntHash) ?? false) & GroupsOf(name) is not null;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string>? GroupsOf(string name)
    {
        UserEntry? user = null;
        Try(() => user = _users().Find(name));
        return user?.Groups;
    }

    /// <inheritdoc/>
    public void Refresh()
    {
        if (_path is null)
            return;
        lock (_gate)
        {
            var info = new FileInfo(_path);
            (DateTime, long) stamp = info.Exists ? (info.LastWriteTimeUtc, info.Length) : default;
            if (_hashes is not null && stamp == _stamp)
                return;
            IkeUsersFile read = IkeUsersFile.Load(_path);
            _hashes?.Dispose();
            (_hashes, _stamp, _problem) = (read, stamp, null);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _hashes?.Dispose();
            _hashes = null;
        }
    }

    /// <summary>While a file is wrong, the users of before count: that is said once.</summary>
    private void Try(Action read)
    {
        try
        {
            read();
        }
        catch (UsersFileException e)
        {
            if (_problem != e.Message)
                LogProblem(_logger, e.Message);
            _problem = e.Message;
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The users of before still count: {Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);
}
