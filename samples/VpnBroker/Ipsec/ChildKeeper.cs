using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Esp;
using CryptoPlane.Ike;
using CryptoPlane.Ike.Crypto;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Ipsec.Users;

namespace VpnBroker.Ipsec;

/// <summary>
/// Brings IKE's child SAs to the data plane and what they have carried back. IKE's thread, which waits for the data plane: a peer may send on
/// an SA as soon as it has our answer, so that the lcore must know the SA before the answer leaves.
/// </summary>
internal sealed partial class ChildKeeper(IIkeEndpoint endpoint, IEspChildren dataPlane, ILogger logger)
{
    /// <summary>Answers of the data plane take well under a millisecond; it has stopped if one does not come at all.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Milliseconds between looks at what the SAs carry, while one waits for its first packet.</summary>
    private const long SoonDelay = 50;

    /// <summary>
    /// The same when none does: at least and at most. What comes in then is only a sign of the peer's life, so that it is looked for twice before the
    /// peer would be asked for one. That SAs are worn out the data plane tells by itself.
    /// </summary>
    private const long LeastDelay = 500, MostDelay = 5000;

    /// <summary>For how long after its making the first packet of a child SA is looked for closely, in milliseconds.</summary>
    private const long FreshTime = 10_000;

    /// <summary>For a peer that is configured no more.</summary>
    private const int DefaultMtu = 1400;

    /// <summary>Of each limit, the part after which a pair of SAs is rekeyed.</summary>
    private const int SoftPercent = 85;

    private readonly Dictionary<uint, Kept> _children = [];
    private readonly List<(ChildSaId Child, Task Task)> _underWay = [];
    private readonly List<(RemoteUser User, Task<EspActivity?> Removing)> _carried = [];

    /// <summary>When <see cref="Look"/> wants to be called.</summary>
    public long NextLook { get; private set; } = long.MaxValue;

    /// <summary>Begins to make the pair of SAs in the data plane.</summary>
    /// <param name="child">The pair.</param>
    /// <param name="peer">The gateway in the configuration; null for a user, and for one that is configured no more.</param>
    /// <param name="settings">The gateway's child in the configuration.</param>
    /// <param name="user">The remote user; null for a gateway.</param>
    /// <param name="now">The time.</param>
    public void Install(ChildSaInstalled child, IpsecPeerConfig? peer, IpsecChildConfig? settings, RemoteUser? user, long now)
    {
        using ChildKeys keys = child.Keys;
        Log.Installed(logger, child.Connection, child.Child, child.Id, child.OutboundSpi, keys.Suite.ToString(), Spi.LcoreOf(child.Id.InboundSpi),
            string.Join(' ', child.LocalSelectors), string.Join(' ', child.RemoteSelectors));
        _children[child.Id.InboundSpi] = new Kept
        {
            Since = now,
            User = user,
            LookDelay = peer is { DpdSeconds: > 0 and int dpd } ? Math.Clamp(dpd * 500L, LeastDelay, MostDelay) : MostDelay,
        };
        NextLook = Math.Min(NextLook, now + SoonDelay);
        try
        {
            _underWay.Add((child.Id, dataPlane.InstallAsync(RequestOf(child, peer, settings, user))));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            _underWay.Add((child.Id, Task.FromException(e)));
        }
    }

    /// <summary>Begins to send on the pair.</summary>
    public void Activate(ChildSaId child) => _underWay.Add((child, dataPlane.ActivateAsync(child.InboundSpi)));

    /// <summary>Lets a pair go.</summary>
    public void Remove(ChildSaId child)
    {
        Task<EspActivity?> removing = dataPlane.RemoveAsync(child.InboundSpi);
        _underWay.Add((child, removing));
        if (_children.Remove(child.InboundSpi, out Kept? kept) && kept.User is { } user)
            _carried.Add((user, removing));
    }

    /// <summary>Sends to a peer's new address; SAs that cannot are rekeyed, which makes new ones for the new path.</summary>
    public void Move(PeerMoved moved, long now)
    {
        EspMode mode = moved.UdpEncapsulation ? EspMode.Udp : EspMode.Raw;
        foreach (ChildSaId child in moved.Children)
        {
            Task<bool> moving = dataPlane.MoveAsync(child.InboundSpi, mode, moved.Local, moved.Remote);
            if (moving.Wait(s_patience) && !moving.Result)
                endpoint.HandleLifetime(child, hard: false, now);
        }
    }

    /// <summary>Waits until the data plane has done what was begun. Child SAs that it does not take are deleted.</summary>
    public void Settle(long now)
    {
        if (_underWay.Count == 0)
            return;
        (ChildSaId Child, Task Task)[] underWay = [.. _underWay];
        _underWay.Clear();
        foreach ((ChildSaId child, Task task) in underWay)
        {
            try
            {
                if (!task.Wait(s_patience))
                    throw new InvalidOperationException("The data plane does not answer.");
            }
            catch (Exception e) when (e is AggregateException or InvalidOperationException)
            {
                Log.Refused(logger, child, (e.InnerException ?? e).Message);
                endpoint.HandleLifetime(child, hard: true, now);
            }
        }
        foreach ((RemoteUser user, Task<EspActivity?> removing) in _carried)
        {
            if (removing.IsCompletedSuccessfully && removing.Result is { } carried)
                user.Add(carried);
        }
        _carried.Clear();
    }

    /// <summary>Wants to look at once.</summary>
    public void LookSoon() => NextLook = 0;

    /// <summary>Tells the endpoint what the SAs have carried, and which are worn out.</summary>
    public void Look(long now)
    {
        Task<IReadOnlyList<EspActivity>> reading = dataPlane.ReadActivityAsync();
        if (!reading.Wait(s_patience))
            return;
        long delay = MostDelay;
        foreach (EspActivity activity in reading.Result)
        {
            if (!_children.TryGetValue(activity.InboundSpi, out Kept? child))
                continue;
            var id = new ChildSaId(activity.InboundSpi);
            if (activity.ReceivedPackets != child.Received)
                endpoint.HandleTraffic(id, now);
            if (child.User is { } user && (activity.ReceivedPackets != child.Received || activity.SentPackets != child.Sent))
                user.LastPacket = now;
            (child.Received, child.Sent) = (activity.ReceivedPackets, activity.SentPackets);
            delay = Math.Min(delay, child.Received == 0 && now - child.Since < FreshTime ? SoonDelay : child.LookDelay);
            if (activity.HardLifetime && !child.HardTold)
                endpoint.HandleLifetime(id, hard: true, now);
            else if (activity.SoftLifetime && !child.SoftTold)
                endpoint.HandleLifetime(id, hard: false, now);
            child.HardTold |= activity.HardLifetime;
            child.SoftTold |= activity.SoftLifetime;
        }
        NextLook = _children.Count == 0 ? long.MaxValue : now + delay;
    }

    private static EspChildRequest RequestOf(ChildSaInstalled child, IpsecPeerConfig? peer, IpsecChildConfig? settings, RemoteUser? user)
    {
        EspSuite suite = child.Keys.Suite;
        return new EspChildRequest
        {
            Name = user is null ? $"{child.Connection}/{child.Child}" : $"{child.Connection}/{user.Session.User}",
            Group = user is null ? $"{child.Connection}/{child.Child} {child.RemoteId} {string.Join(' ', child.RemoteSelectors)}" : $"session {user.Session.Id}",
            IsFallback = child.Resource is null && user is null,
            Priority = peer?.Priority ?? 0,
            Weight = peer?.Weight ?? 1,
            Lcore = Spi.LcoreOf(child.Id.InboundSpi),
            InboundSpi = child.Id.InboundSpi,
            OutboundSpi = child.OutboundSpi,
            Algorithm = suite.Cipher switch
            {
                EspCipher.Aes128Gcm16 => AeadAlgorithm.Aes128Gcm,
                EspCipher.Aes256Gcm16 => AeadAlgorithm.Aes256Gcm,
                EspCipher.ChaCha20Poly1305 => AeadAlgorithm.ChaCha20Poly1305,
                _ => null,
            },
            Cbc = suite.Cipher switch
            {
                EspCipher.Aes128CbcHmacSha256 => EspCbcAlgorithm.Aes128HmacSha256,
                EspCipher.Aes256CbcHmacSha256 => EspCbcAlgorithm.Aes256HmacSha256,
                _ => null,
            },
            Esn = suite.ExtendedSequenceNumbers,
            InboundKey = Join(child.InboundEncryption, child.InboundIntegrity),
            OutboundKey = Join(child.OutboundEncryption, child.OutboundIntegrity),
            Lifetime = LifetimeOf(settings, suite.ExtendedSequenceNumbers),
            Mode = child.UdpEncapsulation ? EspMode.Udp : EspMode.Raw,
            Local = child.UdpEncapsulation ? child.Local : new IPEndPoint(child.Local.Address, 0),
            Remote = child.UdpEncapsulation ? child.Remote : new IPEndPoint(child.Remote.Address, 0),
            LocalSelectors = [.. child.LocalSelectors.Select(SelectorOf)],
            RemoteSelectors = [.. child.RemoteSelectors.Select(SelectorOf)],
            Mtu = peer?.Mtu ?? user?.Profile.Mtu ?? DefaultMtu,
            User = user?.Tunnel,
        };
    }

    /// <summary>Pinned, so that the collector leaves no copies of the key behind.</summary>
    private static byte[] Join(ReadOnlySpan<byte> encryption, ReadOnlySpan<byte> integrity)
    {
        byte[] key = GC.AllocateArray<byte>(encryption.Length + integrity.Length, pinned: true);
        encryption.CopyTo(key);
        integrity.CopyTo(key.AsSpan(encryption.Length));
        return key;
    }

    private static EspSelector SelectorOf(TrafficSelector selector) =>
        new(selector.First, selector.Last, selector.Protocol, selector.FirstPort, selector.LastPort);

    /// <summary>Without extended sequence numbers an SA ends with its 2^32 numbers in any case (RFC 4303 §3.3.3).</summary>
    private static SaLifetime LifetimeOf(IpsecChildConfig? settings, bool esn)
    {
        ulong packets = settings is { LifetimePackets: > 0 } ? (ulong)settings.LifetimePackets : esn ? 0 : uint.MaxValue;
        ulong bytes = (ulong)(settings?.LifetimeBytes ?? 0);
        if (!esn)
            packets = Math.Min(packets, uint.MaxValue);
        return new SaLifetime { SoftPackets = Part(packets), HardPackets = packets, SoftBytes = Part(bytes), HardBytes = bytes };

        static ulong Part(ulong whole) => whole / 100 * SoftPercent;
    }

    private sealed class Kept
    {
        public long Since { get; init; }

        public RemoteUser? User { get; init; }

        public long LookDelay { get; init; }

        public ulong Received { get; set; }

        public ulong Sent { get; set; }

        public bool SoftTold { get; set; }

        public bool HardTold { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "IPsec {Connection}/{Child}: SPI in {Inbound}, out {Outbound:x8}, {Suite}, lcore {Lcore}, {Local} === {Remote}")]
        public static partial void Installed(
            ILogger logger, string connection, string child, ChildSaId inbound, uint outbound, string suite, int lcore, string local, string remote);

        [LoggerMessage(2, LogLevel.Error, "IPsec: the data plane does not take the SAs of SPI {Child}, which are deleted: {Reason}")]
        public static partial void Refused(ILogger logger, ChildSaId child, string reason);
    }
}
