using System.Globalization;
using System.Text;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Storage;

namespace VpnBroker.Esp;

/// <summary>
/// Which sequence numbers of each static key were reserved: on disk before the first of them is used, so that no crash makes
/// a key see an IV twice (RFC 4106 §3.1: the IV is the sequence number here).
/// </summary>
/// <remarks>
/// <para>The file is text: a header, a line <c>fingerprint limit</c> per outbound key, and a last line that counts them, so that
/// a cut file is not taken for a whole one. It is replaced at once. A number below a key's limit counts as used.</para>
/// <para>One process holds the file, by a lock on a file beside it. Never restore it from a backup: make new keys instead.</para>
/// <para>Not thread-safe: one <see cref="SequenceReserver"/> has it.</para>
/// </remarks>
public sealed class SequenceStateFile : IDisposable
{
    private const string Header = "cryptoplane-esp-sequences 1";

    private readonly string _path;
    private readonly FileStream _lock;
    private readonly SortedDictionary<string, ulong> _limits;

    private SequenceStateFile(string path, FileStream processLock, SortedDictionary<string, ulong> limits)
    {
        _path = path;
        _lock = processLock;
        _limits = limits;
    }

    /// <summary>Opens the file of a configuration and checks that it knows every outbound key.</summary>
    /// <exception cref="SequenceStateException">The file is missing, damaged, held by another process, or lacks a key.</exception>
    public static SequenceStateFile Open(EspConfig config)
    {
        FileStream processLock = Lock(config.StateFile);
        try
        {
            SortedDictionary<string, ulong> limits = Read(config.StateFile);
            foreach ((string name, EspKey key) in OutboundKeys(config))
            {
                if (!limits.ContainsKey(key.Fingerprint))
                    throw new SequenceStateException($"{config.StateFile} does not know the key of {name}: if the key is new, run \"broker esp init-state\"; if the file is an old one, make new keys");
            }
            return new SequenceStateFile(config.StateFile, processLock, limits);
        }
        catch
        {
            processLock.Dispose();
            throw;
        }
    }

    /// <summary>Adds the keys that the file does not know, from sequence number 1; makes the file when there is none.</summary>
    /// <returns>The names of the SAs whose keys were added.</returns>
    /// <exception cref="SequenceStateException">The file is damaged, held by another process, or cannot be written.</exception>
    public static IReadOnlyList<string> Initialize(EspConfig config)
    {
        using FileStream processLock = Lock(config.StateFile);
        SortedDictionary<string, ulong> limits = File.Exists(config.StateFile) ? Read(config.StateFile) : new(StringComparer.Ordinal);
        // RFC 4303 §3.3.3: the first packet of an SA has sequence number 1.
        string[] added = [.. OutboundKeys(config).Where(sa => Add(limits, sa.Key.Fingerprint, 1)).Select(sa => sa.Name)];
        Write(config.StateFile, limits);
        return added;
    }

    /// <summary>Reserves the next sequence numbers of a key; they are on disk when this returns.</summary>
    /// <param name="key">The key of an outbound SA.</param>
    /// <param name="count">How many.</param>
    /// <param name="end">First number that the SA may never use: 2^32 without ESN.</param>
    /// <returns>The range; empty when the key is used up.</returns>
    /// <exception cref="SequenceStateException">The file cannot be written: nothing was reserved.</exception>
    public SequenceRange Reserve(EspKey key, ulong count, ulong end) => Reserve([(key, count, end)])[0];

    /// <summary>Reserves for several keys with one write.</summary>
    /// <inheritdoc cref="Reserve(EspKey, ulong, ulong)" path="/exception"/>
    public SequenceRange[] Reserve(ReadOnlySpan<(EspKey Key, ulong Count, ulong End)> wishes)
    {
        var next = new SortedDictionary<string, ulong>(_limits, StringComparer.Ordinal);
        var ranges = new SequenceRange[wishes.Length];
        for (int i = 0; i < wishes.Length; i++)
        {
            (EspKey key, ulong count, ulong end) = wishes[i];
            ulong first = next[key.Fingerprint];
            ulong limit = first >= end ? first : Math.Min(end, first + count);
            ranges[i] = new SequenceRange(first, limit);
            next[key.Fingerprint] = limit;
        }
        Write(_path, next);
        foreach ((string fingerprint, ulong limit) in next)
            _limits[fingerprint] = limit;
        return ranges;
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static IEnumerable<(string Name, EspKey Key)> OutboundKeys(EspConfig config) =>
        from tunnel in config.Tunnels
        from pair in tunnel.Pairs
        select ($"tunnel \"{tunnel.Name}\", lcore {pair.Lcore}", pair.Outbound.Key);

    private static bool Add(SortedDictionary<string, ulong> limits, string fingerprint, ulong limit)
    {
        if (limits.ContainsKey(fingerprint))
            return false;
        limits.Add(fingerprint, limit);
        return true;
    }

    private static FileStream Lock(string path)
    {
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB): the kernel lets it go with the process, however that ends.
            return new FileStream(path + ".lock", new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = AtomicFile.OwnerOnly,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SequenceStateException($"{path} cannot be locked: is another broker running with it? ({e.Message})");
        }
    }

    private static SortedDictionary<string, ulong> Read(string path)
    {
        if (!File.Exists(path))
            throw new SequenceStateException($"{path} is missing: it says which sequence numbers were used. For new keys make it with \"broker esp init-state\"; if it was lost, make new keys first");
        string[] lines;
        try
        {
            lines = File.ReadAllText(path).Split('\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SequenceStateException($"{path} cannot be read: {e.Message}");
        }
        var limits = new SortedDictionary<string, ulong>(StringComparer.Ordinal);
        bool whole = lines.Length >= 3 && lines[0] == Header && lines[^1].Length == 0
            && lines[^2] == string.Create(CultureInfo.InvariantCulture, $"end {lines.Length - 3}");
        foreach (string line in whole ? lines.AsSpan(1, lines.Length - 3) : [])
        {
            string[] fields = line.Split(' ');
            whole &= fields.Length == 2 && fields[0].Length == 32 && fields[0].All(char.IsAsciiHexDigitLower)
                && ulong.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong limit)
                && limit != 0 && Add(limits, fields[0], limit);
        }
        return whole ? limits : throw new SequenceStateException($"{path} is damaged: make new keys, remove the file, and run \"broker esp init-state\"");
    }

    private static void Write(string path, SortedDictionary<string, ulong> limits)
    {
        var text = new StringBuilder(Header).Append('\n');
        foreach ((string fingerprint, ulong limit) in limits)
            text.Append(CultureInfo.InvariantCulture, $"{fingerprint} {limit}\n");
        text.Append(CultureInfo.InvariantCulture, $"end {limits.Count}\n");
        try
        {
            AtomicFile.Write(path, Encoding.ASCII.GetBytes(text.ToString()), AtomicFile.OwnerOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SequenceStateException($"{path} cannot be written: {e.Message}");
        }
    }
}

/// <summary>A state file that sequence numbers cannot be taken from; the message says what to do.</summary>
public sealed class SequenceStateException(string message) : Exception(message);
