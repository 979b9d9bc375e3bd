using CryptoPlane.Traffic;
using VpnBroker.DataPlane.Queueing;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>
/// Which connections users with limits have, of whatever kind and on whichever lcores, and how much of the user's limits each of them has now: a
/// limit is the user's, and divided anew by what each connection has had to send. Supervisor's thread.
/// </summary>
/// <param name="plan">The limits.</param>
/// <param name="read">Reads what has come for a connection, by its lcore and its number in the schedulers there.</param>
internal sealed class UserLimits(TrafficPlan plan, Func<int, int, TunnelDemand> read)
{
    /// <summary>A connection that has nothing to send keeps this part of an equal share, lest it take from the others what it does not use.</summary>
    private const int FloorDivisor = 64;

    private readonly Dictionary<(int Lcore, int Node), Connection> _places = [];
    private readonly Dictionary<string, List<Connection>> _users = [];

    /// <summary>Users with several connections, or with one that has not all again that is the user's.</summary>
    private readonly HashSet<string> _dividing = [];

    private long[] _demands = new long[8];
    private long[] _packetDemands = new long[8];
    private long[] _shares = new long[8];
    private long[] _packetShares = new long[8];

    /// <summary>Whether there is something to divide.</summary>
    public bool IsDividing => _dividing.Count != 0;

    /// <summary>A connection begins, or asks once more what it has.</summary>
    /// <param name="user">Whose it is.</param>
    /// <param name="groups">The user's groups.</param>
    /// <param name="lcore">Its lcore.</param>
    /// <param name="node">Its number in the schedulers there.</param>
    /// <returns>What it gets for now: all that is the user's, or little, if the user has others, until it has shown what it needs.</returns>
    public TunnelLimits Begin(string user, IReadOnlyList<string> groups, int lcore, int node)
    {
        if (_places.TryGetValue((lcore, node), out Connection? known))
            return known.Granted;
        TunnelLimits whole = plan.OfUser(user, groups);
        if (!whole.IsLimited)
            return whole;
        if (!_users.TryGetValue(user, out List<Connection>? connections))
            _users.Add(user, connections = []);
        var connection = new Connection(user, lcore, node, whole) { Before = read(lcore, node) };
        connections.Add(connection);
        _places.Add((lcore, node), connection);
        int count = connections.Count;
        if (count == 1)
            return whole;
        // Those who had nothing to divide until now are measured from now on.
        if (_dividing.Add(user))
            connections[0].Before = read(connections[0].Lcore, connections[0].Node);
        for (TunnelLimitKind kind = 0; (int)kind < TunnelLimits.Kinds; kind++)
        {
            TrafficRate rate = whole[kind];
            connection.Granted[kind] = TrafficPlan.PartOfUser(rate, rate.BitsPerSecond / count / FloorDivisor, rate.PacketsPerSecond / count / FloorDivisor, count);
        }
        return connection.Granted;
    }

    /// <summary>A connection has ended, if it was one with limits: the others get its part.</summary>
    public void End(int lcore, int node)
    {
        if (!_places.Remove((lcore, node), out Connection? connection))
            return;
        List<Connection> connections = _users[connection.User];
        connections.Remove(connection);
        if (connections.Count != 0)
        {
            _dividing.Add(connection.User);
            return;
        }
        _users.Remove(connection.User);
        _dividing.Remove(connection.User);
    }

    /// <summary>Divides the limits of all users with several connections.</summary>
    /// <param name="elapsed">Nanoseconds since the last time.</param>
    /// <param name="give">Gives a connection's part, where it has changed, to an lcore.</param>
    public void Divide(long elapsed, Action<int, TunnelShare> give)
    {
        foreach (string user in _dividing)
            Divide(_users[user], elapsed, give);
        _dividing.RemoveWhere(user => _users[user].Count == 1);
    }

    private void Divide(List<Connection> connections, long elapsed, Action<int, TunnelShare> give)
    {
        // The user's groups may have changed between two log-ins: the newest one knows them best.
        TunnelLimits whole = connections[^1].Whole;
        foreach (Connection connection in connections)
        {
            connection.Now = read(connection.Lcore, connection.Node);
            connection.Next = connection.Whole;
        }
        for (TunnelLimitKind kind = 0; (int)kind < TunnelLimits.Kinds; kind++)
            Divide(connections, whole[kind], kind, elapsed);
        foreach (Connection connection in connections)
        {
            connection.Before = connection.Now;
            if (connection.Next.HasLimitsOf(connection.Granted))
                continue;
            connection.Granted = connection.Next;
            give(connection.Lcore, new TunnelShare { Node = connection.Node, Limits = connection.Granted });
        }
    }

    private void Divide(List<Connection> connections, in TrafficRate whole, TunnelLimitKind kind, long elapsed)
    {
        int count = connections.Count;
        if (count == 1 || !whole.IsLimited)
        {
            foreach (Connection connection in connections)
                connection.Next[kind] = whole;
            return;
        }
        MakeRoom(count);
        // A police reckons without what is around a packet.
        int overhead = kind is TunnelLimitKind.SendShape or TunnelLimitKind.ReceiveShape ? plan.OverheadBytes : 0;
        for (int i = 0; i < count; i++)
        {
            (long bits, long packets) = connections[i].Now[kind].Since(connections[i].Before[kind], elapsed, overhead);
            TrafficRate granted = connections[i].Granted[kind];
            _demands[i] = DemandOf(bits, granted.BitsPerSecond);
            _packetDemands[i] = DemandOf(packets, granted.PacketsPerSecond);
        }
        ShareAllocator.Divide(whole.BitsPerSecond, _demands.AsSpan(0, count), _shares.AsSpan(0, count), FloorDivisor);
        ShareAllocator.Divide(whole.PacketsPerSecond, _packetDemands.AsSpan(0, count), _packetShares.AsSpan(0, count), FloorDivisor);
        for (int i = 0; i < count; i++)
            connections[i].Next[kind] = TrafficPlan.PartOfUser(whole, _shares[i], _packetShares[i], count);
    }

    /// <summary>
    /// What a connection is to have of what it was measured to send. One that used all that it had may want more, which a sender that adapts
    /// (TCP) does not show: it gets twice as much, if others leave it. One that did not keeps a little above its need, so that it shows when that grows.
    /// </summary>
    private static long DemandOf(long measured, long granted) =>
        measured >= granted - (granted / 32) ? Math.Max(measured, 2 * granted) : measured + (measured / 16);

    private void MakeRoom(int count)
    {
        if (count <= _demands.Length)
            return;
        int size = Math.Max(count, 2 * _demands.Length);
        (_demands, _packetDemands, _shares, _packetShares) = (new long[size], new long[size], new long[size], new long[size]);
    }

    /// <summary>One connection of a user's.</summary>
    private sealed class Connection(string user, int lcore, int node, TunnelLimits whole)
    {
        public string User => user;

        public int Lcore => lcore;

        public int Node => node;

        /// <summary>The user's limits, as of the connection's beginning.</summary>
        public TunnelLimits Whole { get; } = whole;

        /// <summary>What it has of them, or what is under way to its lcore.</summary>
        public TunnelLimits Granted = whole;

        public TunnelLimits Next;
        public TunnelDemand Before;
        public TunnelDemand Now;
    }
}
