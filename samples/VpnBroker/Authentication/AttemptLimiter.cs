using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using VpnBroker.Configuration;

namespace VpnBroker.Authentication;

/// <summary>
/// Counts failed log-ins by source address and makes an address with too many wait, each time longer. A success takes back the failures
/// of the same user, and no others: who has a password of their own must not be able to guess on for those of others. Failures of one user
/// from many addresses are counted too, whether there is such a user or not.
/// </summary>
/// <remarks>
/// An IPv6 /64 counts as one address. The tables are bounded: when one is full, the entry whose end comes first makes room. A user's waits stay
/// short, since strangers can cause them: they slow guessing from many addresses down, and do not lock the user out for good.
/// </remarks>
public sealed class AttemptLimiter(TimeProvider clock)
{
    /// <summary>Longest wait.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromHours(1);

    /// <summary>Longest wait of a user.</summary>
    public static readonly TimeSpan MaxUserWait = TimeSpan.FromMinutes(5);

    private const int MaxAddresses = 100_000, MaxUsers = 100_000;

    /// <summary>Failures of an address of which it is kept whose they are; further ones stay until they are forgotten.</summary>
    private const int MaxNames = 16;

    private readonly Dictionary<UInt128, Entry> _entries = [];
    private readonly Dictionary<UInt128, UserEntry> _users = [];
    private readonly byte[] _seed = RandomNumberGenerator.GetBytes(32);
    private readonly Lock _gate = new();

    /// <summary>Whether an address may try now.</summary>
    /// <param name="address">The client's address.</param>
    /// <param name="wait">How long it has to wait when it may not.</param>
    public bool MayTry(IPAddress address, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        lock (_gate)
        {
            if (!_entries.TryGetValue(KeyOf(address), out Entry entry))
                return true;
            wait = entry.BlockedUntil - clock.GetUtcNow();
            return wait <= TimeSpan.Zero;
        }
    }

    /// <summary>Whether an address may try now to log in as a user.</summary>
    /// <param name="address">The client's address.</param>
    /// <param name="user">The name that is tried.</param>
    /// <param name="wait">How long it has to wait when it may not.</param>
    public bool MayTry(IPAddress address, string user, out TimeSpan wait)
    {
        bool may = MayTry(address, out wait);
        lock (_gate)
        {
            if (!_users.TryGetValue(KeyOf(user), out UserEntry entry))
                return may;
            TimeSpan userWait = entry.BlockedUntil - clock.GetUtcNow();
            wait = wait > userWait ? wait : userWait;
            return may & userWait <= TimeSpan.Zero;
        }
    }

    /// <summary>Notes the end of an attempt.</summary>
    /// <param name="address">The client's address.</param>
    /// <param name="user">The name that was tried.</param>
    /// <param name="success">Whether the log-in succeeded.</param>
    /// <param name="limits">The bounds that count now.</param>
    public void Note(IPAddress address, string user, bool success, LimitsConfig limits)
    {
        UInt128 key = KeyOf(address);
        DateTimeOffset now = clock.GetUtcNow();
        // Names are a stranger's and of any length: a number stands for one, by a hash whose seed nobody else knows.
        int name = user.GetHashCode(StringComparison.Ordinal);
        lock (_gate)
        {
            NoteUser(KeyOf(user), success, limits, now);
            Entry entry = _entries.GetValueOrDefault(key);
            if (success)
            {
                Forgive(key, entry, name);
                return;
            }
            // Failures are forgotten an hour after the last one and its wait.
            if (now > entry.BlockedUntil + MaxWait)
                entry = default;
            int failures = entry.Failures + 1;
            double seconds = WaitAfter(failures - limits.AttemptsPerAddress, limits, MaxWait);
            if (_entries.Count >= MaxAddresses && !_entries.ContainsKey(key))
                _entries.Remove(_entries.MinBy(pair => pair.Value.BlockedUntil).Key);
            _entries[key] = new Entry(failures, now.AddSeconds(seconds), entry.Add(name));
        }
    }

    /// <summary>Forgets addresses and users whose failures are long ago.</summary>
    public void Sweep()
    {
        DateTimeOffset now = clock.GetUtcNow();
        lock (_gate)
        {
            foreach ((UInt128 key, Entry entry) in _entries)
            {
                if (now > entry.BlockedUntil + MaxWait)
                    _entries.Remove(key);
            }
            foreach ((UInt128 key, UserEntry entry) in _users)
            {
                if (now > entry.BlockedUntil + MaxWait)
                    _users.Remove(key);
            }
        }
    }

    /// <summary>The number that stands for an address: IPv4 as mapped into IPv6, IPv6 without its lower half.</summary>
    internal static UInt128 KeyOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        IPAddress mapped = address.AddressFamily == AddressFamily.InterNetwork ? address.MapToIPv6() : address;
        mapped.TryWriteBytes(bytes, out _);
        if (!mapped.IsIPv4MappedToIPv6)
            bytes[8..].Clear();
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>The number that stands for a name: by a hash whose seed nobody else knows, so that nobody finds two names with one number.</summary>
    private UInt128 KeyOf(string user)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        HMACSHA256.HashData(_seed, MemoryMarshal.AsBytes(user.AsSpan()), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    private static double WaitAfter(int excess, LimitsConfig limits, TimeSpan longest) =>
        excess < 0 ? 0 : Math.Min(longest.TotalSeconds, limits.BackoffSeconds * Math.Pow(2, Math.Min(excess, 30)));

    private void NoteUser(UInt128 key, bool success, LimitsConfig limits, DateTimeOffset now)
    {
        if (success)
        {
            _users.Remove(key);
            return;
        }
        UserEntry entry = _users.GetValueOrDefault(key);
        int failures = now > entry.BlockedUntil + MaxWait ? 1 : entry.Failures + 1;
        if (_users.Count >= MaxUsers && !_users.ContainsKey(key))
            _users.Remove(_users.MinBy(pair => pair.Value.BlockedUntil).Key);
        _users[key] = new UserEntry(failures, now.AddSeconds(WaitAfter(failures - limits.AttemptsPerUser, limits, MaxUserWait)));
    }

    private void Forgive(UInt128 key, in Entry entry, int name)
    {
        int own = entry.CountOf(name);
        if (own == 0)
            return;
        if (own == entry.Failures)
            _entries.Remove(key);
        else
            _entries[key] = entry with { Failures = entry.Failures - own, Names = [.. entry.Names!.Where(other => other != name)] };
    }

    /// <param name="Failures">Failures that count.</param>
    /// <param name="BlockedUntil">When there may be another attempt.</param>
    private readonly record struct UserEntry(int Failures, DateTimeOffset BlockedUntil);

    /// <param name="Failures">Failures that count.</param>
    /// <param name="BlockedUntil">When the address may try again.</param>
    /// <param name="Names">Whose the failures are, as far as that is kept: a number for each.</param>
    private readonly record struct Entry(int Failures, DateTimeOffset BlockedUntil, int[]? Names)
    {
        public int CountOf(int name) => Names?.Count(other => other == name) ?? 0;

        public int[] Add(int name) => Names is null ? [name] : Names.Length < MaxNames ? [.. Names, name] : Names;
    }
}
