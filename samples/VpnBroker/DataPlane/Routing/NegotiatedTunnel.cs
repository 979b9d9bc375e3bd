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

    /// <summary>As in <see cref="EspChildRequest.IsFallback"/>.</summary>
    public bool IsFallback => first.IsFallback;

    /// <summary>As in <see cref="EspChildRequest.Priority"/>.</summary>
    public int Priority { get; set; } = first.Priority;

    /// <summary>Grows with every tunnel: of two with one priority the older one counts.</summary>
    public long Order => order;

    /// <summary>As in <see cref="EspChildRequest.Mtu"/>.</summary>
    public int Mtu { get; set; } = first.Mtu;

    /// <summary>As in <see cref="EspChildRequest.RemoteSelectors"/>.</summary>
    public IReadOnlyList<EspSelector> Behind { get; set; } = first.RemoteSelectors;

    /// <summary>Pairs that there are, active or not.</summary>
    public int Pairs { get; set; }

    /// <summary>Whether a pair has ever been active.</summary>
    public bool WasUsed { get; private set; }

    /// <summary>Whether a pair sends.</summary>
    public bool IsActive => _active.Count > 0;

    /// <summary>The lcore that sends for those without a pair of their own.</summary>
    public int DefaultLcore => _active.Keys.First();

    /// <summary>The pair that sends on an lcore, or null.</summary>
    public uint? SenderOn(int lcore) => _active.TryGetValue(lcore, out List<uint>? pairs) ? pairs[^1] : null;

    /// <summary>Puts a pair before the others of its lcore.</summary>
    public void Activate(int lcore, uint pair)
    {
        WasUsed = true;
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
