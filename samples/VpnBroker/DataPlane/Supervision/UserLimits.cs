using CryptoPlane.Traffic;
using VpnBroker.DataPlane.Queueing;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>
/// Which connections users have, of whatever kind and on whichever lcores, and how much of the user's limits each of them has now: a limit is the
/// user's, and divided anew by what each connection has had to send. Supervisor's thread.
/// </summary>
/// <param name="plan">The limits.</param>
/// <param name="read">Reads what has come for a connection, by its lcore and its number in the schedulers there.</param>
internal sealed class UserLimits(TrafficPlan plan, Func<int, int, TunnelDemand> read)
{
    /// <summary>A connection that has nothing to send keeps this part of an equal share, lest it take from the others what it does not use.</summary>
    private const int FloorDivisor = 64;

    private readonly Dictionary<(int Lcore, int Node), Connection> _places = [];
    private readonly Dictionary<string, List<Connection>> _users = [];

    /// <summary>Users with several connections that share limits, and those with a connection that has not what it is to have.</summary>
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
        if (!_users.TryGetValue(user, out List<Connection>? connections))
            _users.Add(user, connections = []);
        TunnelLimits whole = plan.OfUser(user, groups);
        var connection = new Connection(user, groups, lcore, node, whole) { Before = read(lcore, node) };
        connections.Add(connection);
        _places.Add((lcore, node), connection);
        int count = connections.Count;
        if (count > 1)
            Share(user, connections);
        if (count == 1 || !whole.IsLimited)
            return whole;
        for (TunnelLimitKind kind = 0; (int)kind < TunnelLimits.Kinds; kind++)
        {
            TrafficRate rate = whole[kind];
            connection.Granted[kind] = TrafficPlan.PartOfUser(rate, rate.BitsPerSecond / count / FloorDivisor, rate.PacketsPerSecond / count / FloorDivisor, count);
        }
        return connection.Granted;
    }

    /// <summary>A connection has ended, if there was one: the others get its part.</summary>
    public void End(int lcore, int node)
    {
        if (!_places.Remove((lcore, node), out Connection? connection))
            return;
        List<Connection> connections = _users[connection.User];
        connections.Remove(connection);
        if (connections.Count != 0)
        {
            Share(connection.User, connections);
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
        _dividing.RemoveWhere(user => _users[user].Count == 1 || !_users[user][^1].Whole.IsLimited);
    }

    /// <summary>The plan has other limits: all connections get theirs with the next division.</summary>
    public void Reload()
    {
        foreach ((string user, List<Connection> connections) in _users)
        {
            bool changed = false;
            foreach (Connection connection in connections)
            {
                TunnelLimits whole = plan.OfUser(user, connection.Groups);
                changed |= !whole.GivesAs(connection.Whole);
                connection.Whole = whole;
            }
            if (changed)
                Share(user, connections);
        }
    }

    /// <summary>Divides a user's limits from now on, if there are any or were.</summary>
    private void Share(string user, List<Connection> connections)
    {
        if (!connections.Exists(connection => connection.Whole.IsLimited || !connection.Granted.GivesAs(connection.Whole)) || !_dividing.Add(user))
            return;
        // What was not measured until now is measured from now on.
        foreach (Connection connection in connections)
            connection.Before = read(connection.Lcore, connection.Node);
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
            if (connection.Next.GivesAs(connection.Granted))
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
    private sealed class Connection(string user, IReadOnlyList<string> groups, int lcore, int node, TunnelLimits whole)
    {
        public string User => user;

        public IReadOnlyList<string> Groups => groups;

        public int Lcore => lcore;

        public int Node => node;

        /// <summary>The user's limits, by the groups that the user had when the connection began.</summary>
        public TunnelLimits Whole { get; set; } = whole;

        /// <summary>What it has of them, or what is under way to its lcore.</summary>
        public TunnelLimits Granted = whole;

        public TunnelLimits Next;
        public TunnelDemand Before;
        public TunnelDemand Now;
    }
}
