using CryptoPlane.Esp;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Routing;

/// <summary>
/// A tunnel that IKE has made: the pairs of one group on all lcores, or the group's fallback pair. Its number is the index of its pairs on
/// every lcore. Supervisor's thread.
/// </summary>
internal sealed class NegotiatedTunnel(int number, EspChildRequest first, long order)
{
    /// <summary>The pairs that may send, by lcore; the last one of a list does.</summary>
    private readonly SortedDictionary<int, List<uint>> _active = [];

    /// <summary>The number.</summary>
    public int Number => number;

    /// <summary>As in <see cref="EspChildRequest.Group"/>.</summary>
    public string Group => first.Group;

    /// <summary>As in <see cref="EspChildRequest.Name"/>.</summary>
    public string Name => first.Name;

    /// <summary>As in <see cref="EspChildRequest.IsFallback"/>.</summary>
    public bool IsFallback => first.IsFallback;

    /// <summary>As in <see cref="EspChildRequest.Priority"/>.</summary>
    public int Priority { get; set; } = first.Priority;

    /// <summary>As in <see cref="EspChildRequest.Weight"/>.</summary>
    public int Weight { get; set; } = first.Weight;

    /// <summary>Grows with every tunnel: where one counts, of two with one priority it is the older one.</summary>
    public long Order => order;

    /// <summary>As in <see cref="EspChildRequest.Mtu"/>.</summary>
    public int Mtu { get; set; } = first.Mtu;

    /// <summary>As in <see cref="EspChildRequest.RemoteSelectors"/>.</summary>
    public IReadOnlyList<EspSelector> Behind { get; set; } = first.RemoteSelectors;

    /// <summary>As in <see cref="EspChildRequest.User"/>.</summary>
    public EspUser? User => first.User;

    /// <summary>What its pairs that are gone have carried.</summary>
    public EspActivity Carried { get; set; }

    /// <summary>Pairs that there are, active or not.</summary>
    public int Pairs { get; set; }

    /// <summary>Whether lcores may have routes to it, since a pair has been active; a user's tunnel has none.</summary>
    public bool IsRouted { get; private set; }

    /// <summary>Whether a pair sends.</summary>
    public bool IsActive => _active.Count > 0;

    /// <summary>The lcore that sends for those without a pair of their own.</summary>
    public int DefaultLcore => _active.Keys.First();

    /// <summary>The peer's name: of <see cref="EspChildRequest.Name"/> what is before the child's.</summary>
    public string Peer { get; } = first.Name.LastIndexOf('/') is >= 0 and int slash ? first.Name[..slash] : first.Name;

    /// <summary>Lcores that have a pair which sends.</summary>
    public IReadOnlyList<int> Lcores => [.. _active.Keys];

    /// <summary>The pair that sends on an lcore, or null.</summary>
    public uint? SenderOn(int lcore) => _active.TryGetValue(lcore, out List<uint>? pairs) ? pairs[^1] : null;

    /// <summary>Puts a pair before the others of its lcore.</summary>
    public void Activate(int lcore, uint pair)
    {
        IsRouted = User is null;
        if (!_active.TryGetValue(lcore, out List<uint>? pairs))
            _active.Add(lcore, pairs = []);
        pairs.Remove(pair);
        pairs.Add(pair);
    }

    /// <summary>Takes a pair away.</summary>
    public void Deactivate(int lcore, uint pair)
    {
        if (_active.TryGetValue(lcore, out List<uint>? pairs) && pairs.Remove(pair) && pairs.Count == 0)
            _active.Remove(lcore);
    }
}
