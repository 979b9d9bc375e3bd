using System.Runtime.InteropServices;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>
/// Measures once a second what peers carry that share prefixes, and tells the lcores when other parts of new flows follow from it. Supervisor's
/// thread.
/// </summary>
/// <param name="units">The lcores.</param>
/// <param name="tunnels">The tunnels and who of them share prefixes.</param>
/// <param name="places">The pairs of SAs.</param>
/// <param name="keepsFlows">
/// Whether lcores keep sessions: else parts that move would take flows along that are under way, so that weights alone count.
/// </param>
internal sealed unsafe class PeerRenewer(
    IReadOnlyList<LcoreUnit> units, NegotiatedTunnels tunnels, Func<IEnumerable<EspChildPlace>> places, bool keepsFlows) : IDisposable
{
    /// <summary>Nanoseconds between two measurements.</summary>
    public const long Interval = 1_000_000_000;

    /// <summary>The table that each lcore has been sent and not yet taken; 0 for none.</summary>
    private readonly nint[] _underWay = new nint[units.Count];

    private Dictionary<string, (ulong Bytes, long Drops)> _before = [];
    private long _last;

    private bool IsNeeded => keepsFlows && tunnels.Groups.Count != 0;

    /// <summary>Milliseconds until the next measurement is due; -1 where there is nothing to measure.</summary>
    public int Wait(long now) => !IsNeeded ? -1 : (int)Math.Clamp((_last + Interval - now + 999_999) / 1_000_000, 1, Interval / 1_000_000);

    /// <summary>Measures, if it is time.</summary>
    /// <param name="now">The clock, in nanoseconds.</param>
    public void Run(long now)
    {
        if (!IsNeeded || now - _last < Interval || _underWay.Any(table => table != 0))
            return;
        double seconds = (now - _last) / 1e9;
        _last = now;
        Dictionary<string, (ulong Bytes, long Drops)> carried = Read();
        bool moved = false;
        foreach (PeerTable group in tunnels.Groups)
        {
            // Whoever shares since a moment ago is measured from now on.
            if (group.Tunnels.All(tunnel => _before.ContainsKey(tunnel.Group)))
                moved |= group.Measure(seconds, [.. group.Tunnels.Select(tunnel => LoadOf(_before[tunnel.Group], carried[tunnel.Group], seconds))]);
        }
        _before = carried;
        if (!moved)
            return;
        for (int lcore = 0; lcore < units.Count; lcore++)
        {
            // Behind the routes that name these groups, and before any that name others.
            _underWay[lcore] = (nint)tunnels.DescribeGroups();
            units[lcore].Post(new LcoreMessage { Kind = LcoreMessageKind.Peers, Pointer = _underWay[lcore] });
        }
    }

    /// <summary>An lcore has taken its table, and uses the one of before no more.</summary>
    public void Taken(int lcore, nint before)
    {
        NativeMemory.Free((void*)before);
        _underWay[lcore] = 0;
    }

    /// <summary>Frees what stopped lcores have not taken.</summary>
    public void Dispose()
    {
        foreach (nint table in _underWay)
            NativeMemory.Free((void*)table);
    }

    private static PeerLoad LoadOf((ulong Bytes, long Drops) before, (ulong Bytes, long Drops) now, double seconds) =>
        new(now.Bytes > before.Bytes ? (now.Bytes - before.Bytes) / seconds : 0, now.Drops > before.Drops);

    /// <summary>What the peers that share have been sent so far, and what their queues have dropped.</summary>
    private Dictionary<string, (ulong Bytes, long Drops)> Read()
    {
        var carried = new Dictionary<string, (ulong Bytes, long Drops)>();
        foreach (NegotiatedTunnel tunnel in tunnels.Groups.SelectMany(group => group.Tunnels).Distinct().SelectMany(tunnels.OfPeer))
        {
            (ulong bytes, long drops) = carried.GetValueOrDefault(tunnel.Group);
            carried[tunnel.Group] = (bytes + tunnel.Carried.SentBytes, drops + DropsOf(tunnel.Number));
        }
        foreach (EspChildPlace place in places())
        {
            if (carried.TryGetValue(place.Tunnel.Group, out (ulong Bytes, long Drops) sum) && place.Tunnel.User is null)
                carried[place.Tunnel.Group] = (sum.Bytes + place.Outbound->Bytes, sum.Drops);
        }
        return carried;
    }

    private long DropsOf(int tunnel) => units.Sum(unit => unit.Context.Queues?.DropsOfEsp(tunnel) ?? 0);
}
