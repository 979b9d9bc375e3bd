using System.Net;
using System.Security.Cryptography;
using System.Text;
using CryptoPlane.Ike;
using VpnBroker.Configuration;
using VpnBroker.Ipsec.Users;

namespace VpnBroker.Ipsec;

/// <summary>
/// Makes IKE's connections of the configuration's peers. A peer of whom nothing has changed, not even a file, keeps its connection: what is
/// the same object stays up. IKE's thread.
/// </summary>
/// <param name="users">Decides about remote users; null where there are none.</param>
internal sealed class IpsecConnections(RemoteUsers? users) : IDisposable
{
    /// <summary>The connection of users who log in by password, and that of those who show a certificate.</summary>
    public const string UsersByPassword = "users", UsersByCertificate = "users-by-certificate";

    /// <summary>For how long a request may be sent again until its peer is given up, in milliseconds, with something to spare.</summary>
    private const long RekeyTime = 150_000;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Those that the last update has replaced: IKE SAs that are being deleted may still use their credentials.</summary>
    private readonly List<Entry> _outdated = [];

    /// <summary>Whether a connection's name is that of remote users.</summary>
    public static bool IsOfUsers(string? connection) => connection is UsersByPassword or UsersByCertificate;

    /// <summary>The connections of a configuration, in its order; those of remote users are the last.</summary>
    /// <exception cref="IpsecException">A credential cannot be read any more, or a connection contradicts itself; nothing has changed.</exception>
    public IReadOnlyList<IkeConnection> Update(BrokerConfig config)
    {
        var next = new List<Entry>();
        try
        {
            foreach (IpsecPeerConfig peer in config.Ipsec?.Peers ?? [])
                next.Add(Make(peer, config));
            if (users is not null && config.Ipsec?.RemoteAccess is { } access)
                next.AddRange(MakeUsers(access, users, config));
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
        return new Entry(fingerprint, ConnectionOf(peer, config, files.Own, files.Trust!), files);
    }

    /// <summary>Remote users' connections: one for passwords, and one for certificates, each where there can be such users.</summary>
    private IEnumerable<Entry> MakeUsers(RemoteAccessConfig access, RemoteUsers who, BrokerConfig config)
    {
        string fingerprint = FingerprintOf(access);
        if (config.Authentication?.IkeUsersFile is not null)
            yield return Known(UsersByPassword) ?? Made(UsersByPassword, _ => new IkeEapMsChapV2(who));
        if (access.Credentials.TrustFiles.Count != 0)
            yield return Known(UsersByCertificate) ?? Made(UsersByCertificate, files => files.Trust!);

        Entry? Known(string name) => _entries.TryGetValue(name, out Entry? known) && known.Fingerprint == fingerprint ? known : null;

        Entry Made(string name, Func<CertificateFiles, IkeAuthentication> theirs)
        {
            var files = CertificateFiles.Load(access.Credentials);
            return new Entry(fingerprint, ConnectionOf(access, name, files.Own, theirs(files), who), files);
        }
    }

    private static IkeConnection ConnectionOf(RemoteAccessConfig access, string name, IkeCertificate own, IkeAuthentication theirs, RemoteUsers users)
    {
        var connection = new IkeConnection
        {
            Name = name,
            LocalId = access.LocalId,
            RemoteId = IkeIdentityPattern.Any,
            LocalAuthentication = own,
            RemoteAuthentication = theirs,
            Proposals = access.Proposals,
            // What of all this a user is granted is decided at the log-in.
            Children =
            [
                new IkeChild
                {
                    Name = "user",
                    LocalSelectors = [TrafficSelector.AnyIPv4, TrafficSelector.AnyIPv6],
                    RemoteSelectors = [TrafficSelector.AnyIPv4, TrafficSelector.AnyIPv6],
                    Proposals = access.EspProposals,
                    Lifetime = LifetimeOf(access.EspLifetimeSeconds),
                },
            ],
            DeadPeerDelay = access.DpdSeconds * 1000L,
            DeadPeerTimeout = access.DpdTimeoutSeconds * 1000L,
            Lifetime = LifetimeOf(access.LifetimeSeconds),
            ForceEncapsulation = access.ForceEncapsulation,
            Mobike = access.Mobike,
            RemoteAccess = users,
        };
        connection.Validate();
        return connection;
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
        AppendFiles(text, peer.Credentials);
        return text.ToString();
    }

    private static string FingerprintOf(RemoteAccessConfig access)
    {
        var text = new StringBuilder($"{access.LocalId}|{access.ForceEncapsulation}|{access.DpdSeconds}|{access.DpdTimeoutSeconds}|{access.LifetimeSeconds}|");
        text.Append($"{access.EspLifetimeSeconds}|{access.Mobike}|").AppendJoin(',', access.Proposals).Append('|').AppendJoin(',', access.EspProposals);
        AppendFiles(text, access.Credentials);
        return text.ToString();
    }

    private static void AppendFiles(StringBuilder text, IpsecCredentials files)
    {
        foreach (string? file in (string?[])[files.PskFile, files.CertificateFile, files.KeyFile, .. files.TrustFiles])
        {
            if (file is null)
                continue;
            byte[] content = File.ReadAllBytes(file);
            text.Append($"|{file}|{Convert.ToHexString(SHA256.HashData(content))}");
            CryptographicOperations.ZeroMemory(content);
        }
    }

    private sealed record Entry(string Fingerprint, IkeConnection Connection, IDisposable Credentials) : IDisposable
    {
        public void Dispose() => Credentials.Dispose();
    }
}

/// <summary>Something of IPsec cannot be done; the message is for the operator.</summary>
public sealed class IpsecException(string message) : Exception(message);
