using System.Net;
using System.Security.Cryptography;
using System.Text;
using CryptoPlane.Ike;
using VpnBroker.Configuration;

namespace VpnBroker.Ipsec;

/// <summary>
/// Makes IKE's connections of the configuration's peers. A peer of whom nothing has changed, not even a file, keeps its connection: what is
/// the same object stays up. IKE's thread.
/// </summary>
internal sealed class IpsecConnections : IDisposable
{
    /// <summary>For how long a request may be sent again until its peer is given up, in milliseconds, with something to spare.</summary>
    private const long RekeyTime = 150_000;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Those that the last update has replaced: IKE SAs that are being deleted may still use their credentials.</summary>
    private readonly List<Entry> _outdated = [];

    /// <summary>The connections of a configuration, in its order.</summary>
    /// <exception cref="IpsecException">A credential cannot be read any more, or a connection contradicts itself; nothing has changed.</exception>
    public IReadOnlyList<IkeConnection> Update(BrokerConfig config)
    {
        var next = new List<Entry>();
        try
        {
            foreach (IpsecPeerConfig peer in config.Ipsec?.Peers ?? [])
                next.Add(Make(peer, config));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            foreach (Entry entry in next.Where(entry => !_entries.ContainsValue(entry)))
                entry.Dispose();
            throw new IpsecException(e.Message);
        }
        DisposeOutdated();
        _outdated.AddRange(_entries.Values.Except(next));
        _entries.Clear();
        foreach (Entry entry in next)
            _entries.Add(entry.Connection.Name, entry);
        return [.. next.Select(entry => entry.Connection)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        DisposeOutdated();
        foreach (Entry entry in _entries.Values)
            entry.Dispose();
        _entries.Clear();
    }

    private void DisposeOutdated()
    {
        _outdated.ForEach(entry => entry.Dispose());
        _outdated.Clear();
    }

    private Entry Make(IpsecPeerConfig peer, BrokerConfig config)
    {
        string fingerprint = FingerprintOf(peer, config);
        if (_entries.TryGetValue(peer.Name, out Entry? known) && known.Fingerprint == fingerprint)
            return known;
        if (peer.Credentials.PskFile is { } file)
        {
            byte[] secret = PskFile.Read(file);
            try
            {
                var key = new IkePresharedKey(secret);
                return new Entry(fingerprint, ConnectionOf(peer, config, key, key), key);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(secret);
            }
        }
        CertificateFiles files = CertificateFiles.Load(peer.Credentials);
        return new Entry(fingerprint, ConnectionOf(peer, config, files.Own, files.Trust), files);
    }

    private static IkeConnection ConnectionOf(IpsecPeerConfig peer, BrokerConfig config, IkeAuthentication own, IkeAuthentication theirs)
    {
        var connection = new IkeConnection
        {
            Name = peer.Name,
            LocalAddress = LocalOf(peer, config),
            RemoteAddress = peer.Remote,
            LocalId = peer.LocalId,
            RemoteId = peer.RemoteId,
            LocalAuthentication = own,
            RemoteAuthentication = theirs,
            Proposals = peer.Proposals,
            Children = [.. peer.Children.Select(child => ChildOf(child, peer, config))],
            DeadPeerDelay = peer.DpdSeconds * 1000L,
            DeadPeerTimeout = peer.DpdTimeoutSeconds * 1000L,
            Lifetime = LifetimeOf(peer.LifetimeSeconds),
            ForceEncapsulation = peer.ForceEncapsulation,
            Mobike = peer.Mobike,
            StartAction = peer.Start ? IkeStartAction.Start : IkeStartAction.None,
            Priority = peer.Priority,
            Resources = peer.PerLcore ? config.Lcores.Count : 0,
        };
        connection.Validate();
        return connection;
    }

    /// <summary>The address that the file names; else the only one of the peer's family, since replies must leave from a known one.</summary>
    private static IPAddress? LocalOf(IpsecPeerConfig peer, BrokerConfig config)
    {
        if (peer.Local is not null || peer.Remote is not { } remote)
            return peer.Local;
        IPAddress[] candidates = [.. config.Ipsec!.Listen.Where(address => address.AddressFamily == remote.BaseAddress.AddressFamily)];
        return candidates.Length == 1 ? candidates[0] : null;
    }

    private static IkeChild ChildOf(IpsecChildConfig child, IpsecPeerConfig peer, BrokerConfig config) => new()
    {
        Name = child.Name,
        LocalSelectors = [.. child.Local.Select(TrafficSelector.FromPrefix)],
        RemoteSelectors = [.. child.Remote.Select(TrafficSelector.FromPrefix)],
        ResourceSelectors = peer.PerLcore ? SharesOf(child, config) : [],
        Proposals = child.Proposals,
        Lifetime = LifetimeOf(child.LifetimeSeconds),
    };

    /// <summary>Each lcore's part of the pools that are on our side; none where there are no pools there.</summary>
    private static IReadOnlyList<IReadOnlyList<TrafficSelector>> SharesOf(IpsecChildConfig child, BrokerConfig config)
    {
        IPNetwork[] pools =
        [
            .. config.Pools.SelectMany(pool => new[] { pool.IPv4, pool.IPv6 }).OfType<IPNetwork>()
                .Where(pool => child.Local.Any(local => local.PrefixLength <= pool.PrefixLength && local.Contains(pool.BaseAddress))),
        ];
        int lcores = config.Lcores.Count;
        return pools.Length == 0 ? [] :
        [
            .. Enumerable.Range(0, lcores).Select(lcore => (IReadOnlyList<TrafficSelector>)
                [.. pools.Select(pool => TrafficSelector.FromPrefix(PoolPartition.PrefixOf(pool, lcore, lcores)))]),
        ];
    }

    /// <summary>
    /// Rekeyed by chance somewhat before the time is over, and deleted somewhat behind it: not while requests for the rekey may still be
    /// answered, however short the lifetime.
    /// </summary>
    private static IkeLifetime LifetimeOf(int seconds) => new(seconds * 1000L, (seconds * 1000L) + Math.Max(seconds * 100L, RekeyTime), seconds * 100L);

    /// <summary>Tells whether a connection must be made anew. The content of secret files is in it as a hash.</summary>
    private static string FingerprintOf(IpsecPeerConfig peer, BrokerConfig config)
    {
        var text = new StringBuilder();
        text.Append($"{peer.Name}|{LocalOf(peer, config)}|{peer.Remote}|{peer.LocalId}|{peer.RemoteId}|{peer.ForceEncapsulation}|{peer.DpdSeconds}|{peer.DpdTimeoutSeconds}|{peer.LifetimeSeconds}|");
        text.Append($"{peer.PerLcore}|{peer.Priority}|{peer.Start}|{peer.Mobike}|{peer.Mtu}|").AppendJoin(',', peer.Proposals);
        foreach (IpsecChildConfig child in peer.Children)
        {
            text.Append($"|{child.Name}|").AppendJoin(',', child.Local).Append('|').AppendJoin(',', child.Remote).Append('|').AppendJoin(',', child.Proposals);
            text.Append($"|{child.LifetimeSeconds}|{child.LifetimePackets}|{child.LifetimeBytes}");
        }
        IpsecCredentials files = peer.Credentials;
        foreach (string? file in (string?[])[files.PskFile, files.CertificateFile, files.KeyFile, .. files.TrustFiles])
        {
            if (file is null)
                continue;
            byte[] content = File.ReadAllBytes(file);
            text.Append($"|{file}|{Convert.ToHexString(SHA256.HashData(content))}");
            CryptographicOperations.ZeroMemory(content);
        }
        return text.ToString();
    }

    private sealed record Entry(string Fingerprint, IkeConnection Connection, IDisposable Credentials) : IDisposable
    {
        public void Dispose() => Credentials.Dispose();
    }
}

/// <summary>Something of IPsec cannot be done; the message is for the operator.</summary>
public sealed class IpsecException(string message) : Exception(message);
