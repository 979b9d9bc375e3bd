using System.Net;
using System.Net.Sockets;
using VpnBroker.Configuration;

namespace VpnBroker.Authentication;

/// <summary>
/// Counts failed log-ins by source address and makes an address with too many wait, each time longer. A success clears it.
/// </summary>
/// <remarks>An IPv6 /64 counts as one address. The table is bounded: when it is full, the entry whose end comes first makes room.</remarks>
public sealed class AttemptLimiter(TimeProvider clock)
{
    /// <summary>Longest wait.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromHours(1);

    private const int MaxAddresses = 100_000;

    private readonly Dictionary<UInt128, Entry> _entries = [];
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

    /// <summary>Notes the end of an attempt.</summary>
    /// <param name="address">The client's address.</param>
    /// <param name="success">Whether the log-in succeeded.</param>
    /// <param name="limits">The bounds that count now.</param>
    public void Note(IPAddress address, bool success, LimitsConfig limits)
    {
        UInt128 key = KeyOf(address);
        DateTimeOffset now = clock.GetUtcNow();
        lock (_gate)
        {
            if (success)
            {
                _entries.Remove(key);
                return;
            }
            Entry entry = _entries.GetValueOrDefault(key);
            // Failures are forgotten an hour after the last one and its wait.
            int failures = now > entry.BlockedUntil + MaxWait ? 1 : entry.Failures + 1;
            int excess = failures - limits.AttemptsPerAddress;
            double seconds = excess < 0 ? 0 : Math.Min(MaxWait.TotalSeconds, limits.BackoffSeconds * Math.Pow(2, Math.Min(excess, 30)));
            if (_entries.Count >= MaxAddresses && !_entries.ContainsKey(key))
                _entries.Remove(_entries.MinBy(pair => pair.Value.BlockedUntil).Key);
            _entries[key] = new Entry(failures, now.AddSeconds(seconds));
        }
    }

    /// <summary>Forgets addresses whose failures are long ago.</summary>
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

    private readonly record struct Entry(int Failures, DateTimeOffset BlockedUntil);
}
