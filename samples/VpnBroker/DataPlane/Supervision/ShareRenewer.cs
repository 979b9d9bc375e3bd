using CryptoPlane.Traffic;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Queueing;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>
/// Divides the limits that span several lcores, or several connections of a user, anew, several times a second, by what each of them has had to
/// send since the last time. Supervisor's thread.
/// </summary>
/// <remarks>A lcore that has not taken its last shares gets no others: then nobody does, so that shares never add up to more than the limit for long.</remarks>
internal sealed unsafe class ShareRenewer : IDisposable
{
    /// <summary>Nanoseconds between two divisions.</summary>
    public const long Interval = 200_000_000;

    private readonly IReadOnlyList<ShareLcore> _lcores;
    private readonly TrafficPlan _plan;
    private readonly UserLimits _users;
    private readonly Func<IEnumerable<SharedTunnel>> _tunnels;
    private readonly nint[] _blocks;
    private readonly Dictionary<(int Lcore, int Counter), long> _before = [];
    private readonly long[] _demands;
    private readonly long[] _shares;
    private readonly long[] _packetShares;
    private int _underWay;
    private bool _isResting = true;
    private TaskCompletionSource? _reload;
    private TaskCompletionSource? _reloading;
    private long _last;

    /// <summary>Prepares it.</summary>
    /// <param name="lcores">The lcores.</param>
    /// <param name="plan">The limits.</param>
    /// <param name="users">The connections of users with limits.</param>
    /// <param name="espTunnels">ESP tunnels that there can be.</param>
    /// <param name="tunnels">Gives the ESP tunnels of now.</param>
    public ShareRenewer(
        IReadOnlyList<ShareLcore> lcores, TrafficPlan plan, UserLimits users, int espTunnels, Func<IEnumerable<SharedTunnel>> tunnels)
    {
        _lcores = lcores;
        _plan = plan;
        _users = users;
        _tunnels = tunnels;
        _blocks = [.. lcores.Select(lcore => (nint)LcoreShares.Allocate(plan.Classes.Count, lcore.Context.Sizes.Tunnels + espTunnels))];
        _demands = new long[lcores.Count];
        _shares = new long[lcores.Count];
        _packetShares = new long[lcores.Count];
    }

    private bool IsNeeded => _plan.HasShares || _users.IsDividing || _reload != null;

    /// <summary>Milliseconds until the next division is due; -1 where there is nothing to divide.</summary>
    public int Wait(long now) => !IsNeeded ? -1 : (int)Math.Clamp((_last + Interval - now + 999_999) / 1_000_000, 1, Interval / 1_000_000);

    /// <summary>Takes the limits of another configuration. What waits stays, and goes on as the new limits let it.</summary>
    /// <returns>A task that completes when all lcores have them.</returns>
    public Task Reload(TrafficConfig traffic)
    {
        _plan.Take(traffic);
        _users.Reload();
        _reload ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _reload.Task;
    }

    /// <summary>Divides the limits, if it is time.</summary>
    /// <param name="now">The clock, in nanoseconds.</param>
    public void Run(long now)
    {
        if (_isResting || !IsNeeded)
        {
            // What was not measured for long is measured from now on.
            _isResting = !IsNeeded;
            _last = now;
            return;
        }
        if (_underWay != 0 || now - _last < Interval)
            return;
        long elapsed = Math.Max(1, now - _last);
        _last = now;
        for (int lcore = 0; lcore < _lcores.Count; lcore++)
            Block(lcore)->TunnelCount = 0;
        int counter = 0;
        Measure(counter++, elapsed, queues => WantedBy(queues.Outside));
        Divide(_plan.Outside, (lcore, rate) => Block(lcore)->Outside = rate);
        Measure(counter++, elapsed, queues => WantedBy(queues.Inside));
        Divide(_plan.Inside, (lcore, rate) => Block(lcore)->Inside = rate);
        for (int i = 0; i < _plan.Classes.Count; i++)
        {
            int number = i;
            Measure(counter++, elapsed, queues => queues.ReadPolice(number) is var police ? police.Passed + police.Refused : 0);
            Divide(_plan.Classes[i].Police, (lcore, rate) => Block(lcore)->Class(number) = rate);
        }
        foreach (SharedTunnel tunnel in _tunnels())
            Divide(tunnel, counter + (2 * tunnel.Number), elapsed);
        (_reloading, _reload) = (_reload, null);
        // Sound: a block has room for all ESP tunnels and for all connections of its lcore.
        _users.Divide(elapsed, (lcore, share) => Block(lcore)->TryAdd(share));
        for (int lcore = 0; lcore < _lcores.Count; lcore++)
        {
            _lcores[lcore].Post(new LcoreMessage { Kind = LcoreMessageKind.Shares, Pointer = _blocks[lcore] });
            _underWay++;
        }
    }

    /// <summary>An lcore has taken its shares.</summary>
    public void Taken()
    {
        if (--_underWay != 0)
            return;
        _reloading?.SetResult();
        _reloading = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nint block in _blocks)
            LcoreShares.Free((LcoreShares*)block);
        foreach (TaskCompletionSource? waiting in (TaskCompletionSource?[])[_reloading, _reload])
            waiting?.SetException(new InvalidOperationException("The data plane has stopped before all lcores had the new limits."));
    }

    private LcoreShares* Block(int lcore) => (LcoreShares*)_blocks[lcore];

    private void Divide(SharedTunnel tunnel, int counter, long elapsed)
    {
        TunnelLimits whole = _plan.OfTunnel(tunnel.Name, 1);
        if (tunnel.Lcores.Count < 2 || !whole.IsLimited)
        {
            // Nothing to divide; but a limit, or its end, may be new.
            if (_reload != null)
                Give(tunnel, _ => whole);
            return;
        }
        TunnelLimits[] limits = [.. _lcores.Select(_ => whole)];
        Measure(counter, elapsed, queues => WantedBy(queues.Outside.ReadTunnel(queues.NodeOfEsp(tunnel.Number))));
        Divide(whole.SendShape, (lcore, rate) => limits[lcore].SendShape = rate, tunnel.Lcores);
        Divide(whole.SendPolice, (lcore, rate) => limits[lcore].SendPolice = rate, tunnel.Lcores);
        Measure(counter + 1, elapsed, queues => WantedBy(queues.Inside.ReadTunnel(queues.NodeOfEsp(tunnel.Number))));
        Divide(whole.ReceiveShape, (lcore, rate) => limits[lcore].ReceiveShape = rate, tunnel.Lcores);
        Divide(whole.ReceivePolice, (lcore, rate) => limits[lcore].ReceivePolice = rate, tunnel.Lcores);
        Give(tunnel, lcore => limits[lcore]);
    }

    private void Give(SharedTunnel tunnel, Func<int, TunnelLimits> limitsOn)
    {
        foreach (int lcore in tunnel.Lcores)
            Block(lcore)->TryAdd(new TunnelShare { Node = _lcores[lcore].Context.Queues!.NodeOfEsp(tunnel.Number), Limits = limitsOn(lcore) });
    }

    /// <summary>Notes in bits per second what each lcore has wanted to send since the last time.</summary>
    private void Measure(int counter, long elapsed, Func<QueueStage, long> bytesOf)
    {
        for (int lcore = 0; lcore < _lcores.Count; lcore++)
        {
            long bytes = bytesOf(_lcores[lcore].Context.Queues!);
            long before = _before.GetValueOrDefault((lcore, counter));
            _before[(lcore, counter)] = bytes;
            _demands[lcore] = (long)((Int128)Math.Max(0, bytes - before) * 8_000_000_000 / elapsed);
        }
    }

    private void Divide(in TrafficRate whole, Action<int, TrafficRate> set) => Divide(whole, set, [.. Enumerable.Range(0, _lcores.Count)]);

    private void Divide(in TrafficRate whole, Action<int, TrafficRate> set, IReadOnlyList<int> lcores)
    {
        if (!whole.IsLimited)
        {
            // The limit that was there may be gone.
            foreach (int lcore in lcores)
                set(lcore, TrafficRate.None);
            return;
        }
        int count = lcores.Count;
        Span<long> demands = stackalloc long[count];
        for (int i = 0; i < count; i++)
            demands[i] = _demands[lcores[i]];
        ShareAllocator.Divide(whole.BitsPerSecond, demands, _shares.AsSpan(0, count));
        // Where only packets are limited, the bytes' proportions are what is known of demand.
        ShareAllocator.Divide(whole.PacketsPerSecond, demands, _packetShares.AsSpan(0, count));
        for (int i = 0; i < count; i++)
            set(lcores[i], TrafficPlan.Share(whole, _shares[i], _packetShares[i]));
    }

    /// <summary>Bytes that a scheduler was given so far, about: those that left, those that wait, and those that were dropped.</summary>
    private static long WantedBy(TrafficScheduler scheduler)
    {
        long bytes = 0;
        for (int i = 0; i < scheduler.ClassCount; i++)
            bytes += WantedBy(scheduler.ReadClass(i));
        return bytes;
    }

    private static long WantedBy(in QueueCounters counters)
    {
        long mean = counters.SentPackets == 0 ? 1000 : counters.SentBytes / counters.SentPackets;
        return counters.SentBytes + counters.WaitingBytes + (counters.DroppedPackets * mean);
    }
}

/// <summary>An lcore among which limits are divided.</summary>
/// <param name="Context">The lcore's.</param>
/// <param name="Post">Sends it a message.</param>
internal sealed record ShareLcore(LcoreContext Context, Action<LcoreMessage> Post);

/// <summary>An ESP tunnel and the lcores that have a pair of SAs of it.</summary>
internal readonly record struct SharedTunnel(int Number, string Name, IReadOnlyList<int> Lcores);
