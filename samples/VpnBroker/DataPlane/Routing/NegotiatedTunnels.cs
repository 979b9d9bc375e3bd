using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Flows;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Routing;

/// <summary>The tunnels that IKE has made, their numbers, and the routes that follow from their selectors. Supervisor's thread.</summary>
internal sealed unsafe class NegotiatedTunnels
{
    private readonly Dictionary<(string Group, bool IsFallback), NegotiatedTunnel> _tunnels = [];
    private readonly Stack<int> _free;
    private readonly List<int> _closed = [];
    private readonly List<Route> _routes = [];
    private readonly List<PeerTable> _groups = [];
    private Dictionary<IPNetwork, PeerTable> _groupOf = [];
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

    /// <summary>The groups of tunnels by their numbers.</summary>
    public IEnumerable<(int Number, string Group)> Names => _tunnels.Values.Select(tunnel => (tunnel.Number, tunnel.Group));

    /// <summary>The tunnels of which a pair sends.</summary>
    public IEnumerable<NegotiatedTunnel> Active => _tunnels.Values.Where(tunnel => tunnel.IsActive);

    /// <summary>The secret of the hash by which flows are spread over peers.</summary>
    public FlowHashSeed Seed { get; } = FlowHashSeed.Random();

    /// <summary>The routes into active tunnels, as of the last <see cref="Regroup"/>; each prefix once.</summary>
    public IReadOnlyList<Route> Routes => _routes;

    /// <summary>The tunnels that share prefixes, as of the last <see cref="Regroup"/>, by the numbers that routes have.</summary>
    public IReadOnlyList<PeerTable> Groups => _groups;

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
    /// <param name="isRouted">Whether lcores may have routes to it: its number is used again after <see cref="Recycle"/> then.</param>
    public void Close(NegotiatedTunnel tunnel, bool isRouted)
    {
        _tunnels.Remove((tunnel.Group, tunnel.IsFallback));
        if (isRouted)
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

    /// <summary>
    /// Makes <see cref="Routes"/> and <see cref="Groups"/> of the tunnels that are active: a prefix leads into the tunnel with the lowest
    /// priority, or to those that have it in common. What a prefix's group was before decides which flows stay where they are.
    /// </summary>
    public void Regroup()
    {
        var leading = new Dictionary<IPNetwork, List<NegotiatedTunnel>>();
        foreach (NegotiatedTunnel tunnel in Entrances().OrderBy(tunnel => tunnel.Priority).ThenBy(tunnel => tunnel.Order))
        {
            foreach (IPNetwork prefix in tunnel.Behind.SelectMany(AddressRanges.PrefixesOf))
            {
                if (!leading.TryGetValue(prefix, out List<NegotiatedTunnel>? sharing))
                    leading.Add(prefix, [tunnel]);
                else if (sharing[0].Priority == tunnel.Priority && sharing.Count < PeerGroup.MaximumMembers && sharing[^1] != tunnel)
                    sharing.Add(tunnel);
            }
        }
        _routes.Clear();
        _groups.Clear();
        var groupOf = new Dictionary<IPNetwork, PeerTable>();
        foreach ((IPNetwork prefix, List<NegotiatedTunnel> sharing) in leading)
        {
            if (sharing.Count == 1)
            {
                _routes.Add(new Route(prefix, new RouteTarget(RouteKind.Esp, sharing[0].Number)));
                continue;
            }
            int number = _groups.FindIndex(group => group.Tunnels.SequenceEqual(sharing));
            if (number < 0)
            {
                PeerTable? before = _groupOf.GetValueOrDefault(prefix);
                number = _groups.Count;
                _groups.Add(before != null && before.Tunnels.SequenceEqual(sharing) ? before : new PeerTable(sharing, before));
                _groups[number].Prefixes.Clear();
                _groups[number].Renew();
            }
            _groups[number].Prefixes.Add(prefix);
            groupOf.Add(prefix, _groups[number]);
            _routes.Add(new Route(prefix, new RouteTarget(RouteKind.Peers, number)));
        }
        _groupOf = groupOf;
    }

    /// <summary>The groups as an lcore reads them, to be freed with <see cref="NativeMemory"/>; null for none.</summary>
    public PeerGroup* DescribeGroups()
    {
        if (_groups.Count == 0)
            return null;
        var groups = (PeerGroup*)NativeMemory.AllocZeroed((nuint)_groups.Count, (nuint)sizeof(PeerGroup));
        for (int i = 0; i < _groups.Count; i++)
            _groups[i].Describe(groups + i, tunnel => _tunnels.GetValueOrDefault((tunnel.Group, !tunnel.IsFallback))?.Number ?? PeerGroup.None);
        return groups;
    }

    /// <summary>A tunnel and the other one of its group: each lcore's own pairs, and the fallback.</summary>
    public IEnumerable<NegotiatedTunnel> OfPeer(NegotiatedTunnel tunnel) =>
        _tunnels.TryGetValue((tunnel.Group, !tunnel.IsFallback), out NegotiatedTunnel? other) ? [tunnel, other] : [tunnel];

    /// <summary>Who shares which prefixes.</summary>
    public IReadOnlyList<PeerShareStatus> ReadShares() =>
    [
        .. _groups.SelectMany(group => group.Tunnels.Index().Select(tunnel => new PeerShareStatus(
            tunnel.Item.Name, tunnel.Item.Weight, group.ShareOf(tunnel.Index), [.. group.Prefixes]))),
    ];

    /// <summary>Gives the tunnels of a peer their weight from now on.</summary>
    public void SetWeight(string peer, int weight)
    {
        foreach (NegotiatedTunnel tunnel in _tunnels.Values.Where(tunnel => tunnel.User is null && tunnel.Peer == peer))
            tunnel.Weight = weight;
    }

    /// <summary>Fills in what forwarding needs to know of the tunnels.</summary>
    /// <param name="targets">By number.</param>
    public void Describe(Span<EspTarget> targets)
    {
        foreach (NegotiatedTunnel tunnel in _tunnels.Values.Where(tunnel => tunnel.User is null))
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
    private IEnumerable<NegotiatedTunnel> Entrances() => _tunnels.Values.Where(tunnel => tunnel is { IsActive: true, User: null }
        && (!tunnel.IsFallback || !_tunnels.TryGetValue((tunnel.Group, false), out NegotiatedTunnel? own) || !own.IsActive));
}
