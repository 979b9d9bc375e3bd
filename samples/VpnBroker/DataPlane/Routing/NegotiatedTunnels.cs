using System.Diagnostics.CodeAnalysis;
using System.Net;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Routing;

/// <summary>The tunnels that IKE has made, their numbers, and the routes that follow from their selectors. Supervisor's thread.</summary>
internal sealed class NegotiatedTunnels
{
    private readonly Dictionary<(string Group, bool IsFallback), NegotiatedTunnel> _tunnels = [];
    private readonly Stack<int> _free;
    private readonly List<int> _closed = [];
    private long _order;

    /// <summary>Makes an empty table.</summary>
    /// <param name="firstNumber">The first number that no static tunnel has.</param>
    /// <param name="capacity">How many tunnels there can be.</param>
    public NegotiatedTunnels(int firstNumber, int capacity)
    {
        Capacity = capacity;
        _free = new Stack<int>(Enumerable.Range(firstNumber, capacity).Reverse());
    }

    /// <summary>How many tunnels there can be.</summary>
    public int Capacity { get; }

    /// <summary>Tunnels now.</summary>
    public int Count => _tunnels.Count;

    /// <summary>The tunnel that a pair belongs to, made when it is the first.</summary>
    /// <returns>False when there are as many tunnels as there can be.</returns>
    public bool TryOpen(EspChildRequest request, [NotNullWhen(true)] out NegotiatedTunnel? tunnel)
    {
        if (_tunnels.TryGetValue((request.Group, request.IsFallback), out tunnel))
            return true;
        if (!_free.TryPop(out int number))
            return false;
        tunnel = new NegotiatedTunnel(number, request, _order++);
        _tunnels.Add((request.Group, request.IsFallback), tunnel);
        return true;
    }

    /// <summary>Forgets a tunnel that has no pairs.</summary>
    /// <param name="tunnel">The tunnel.</param>
    /// <param name="wasUsed">
    /// Whether a pair of it was active, so that lcores may have routes to it: its number is used again after <see cref="Recycle"/> then.
    /// </param>
    public void Close(NegotiatedTunnel tunnel, bool wasUsed)
    {
        _tunnels.Remove((tunnel.Group, tunnel.IsFallback));
        if (wasUsed)
            _closed.Add(tunnel.Number);
        else
            _free.Push(tunnel.Number);
    }

    /// <summary>Numbers of closed tunnels, which the next snapshot does not name any more; to be given to <see cref="Recycle"/> once all lcores use it.</summary>
    public IReadOnlyList<int> TakeClosed()
    {
        int[] closed = [.. _closed];
        _closed.Clear();
        return closed;
    }

    /// <summary>Gives numbers back that no lcore's routes name any more.</summary>
    public void Recycle(IReadOnlyList<int> numbers)
    {
        foreach (int number in numbers)
            _free.Push(number);
    }

    /// <summary>The routes into active tunnels, those that count first.</summary>
    public IEnumerable<Route> Routes()
    {
        foreach (NegotiatedTunnel tunnel in Entrances().OrderBy(tunnel => tunnel.Priority).ThenBy(tunnel => tunnel.Order))
        {
            foreach (IPNetwork prefix in tunnel.Behind.SelectMany(AddressRanges.PrefixesOf))
                yield return new Route(prefix, new RouteTarget(RouteKind.Esp, tunnel.Number));
        }
    }

    /// <summary>Fills in what forwarding needs to know of the tunnels.</summary>
    /// <param name="targets">By number.</param>
    public void Describe(Span<EspTarget> targets)
    {
        foreach (NegotiatedTunnel tunnel in _tunnels.Values)
        {
            NegotiatedTunnel? fallback = tunnel.IsFallback ? null : _tunnels.GetValueOrDefault((tunnel.Group, true));
            targets[tunnel.Number] = new EspTarget
            {
                Mtu = tunnel.Mtu,
                DefaultLcore = tunnel.IsActive ? tunnel.DefaultLcore : -1,
                HasFallback = fallback is { IsActive: true },
                Fallback = fallback?.Number ?? 0,
                IsNegotiated = true,
            };
        }
    }

    /// <summary>Of each group what its routes lead to: the lcores' own pairs, or, where there are none, the fallback.</summary>
    private IEnumerable<NegotiatedTunnel> Entrances() => _tunnels.Values.Where(tunnel => tunnel.IsActive
        && (!tunnel.IsFallback || !_tunnels.TryGetValue((tunnel.Group, false), out NegotiatedTunnel? own) || !own.IsActive));
}
