using VpnBroker.Configuration;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>Gives the lcores what they forward by, and frees what it replaces when they say that they use it no more. Supervisor's thread.</summary>
/// <param name="units">The lcores.</param>
/// <param name="espTunnels">The ESP tunnels' names by their numbers.</param>
/// <param name="negotiated">The tunnels of IKE.</param>
internal sealed unsafe class ForwardingPublisher(IReadOnlyList<LcoreUnit> units, IReadOnlyList<string> espTunnels, NegotiatedTunnels negotiated)
{
    private readonly Dictionary<nint, TaskCompletionSource> _replacing = [];
    private readonly List<int> _recycling = [];
    private int _underWay;
    private bool _routesChanged;

    /// <summary>
    /// Whether routes have changed and all lcores have taken the last ones: changes in between make one snapshot together, since tables are large.
    /// </summary>
    public bool IsDue => _routesChanged && _underWay == 0;

    /// <summary>Routes have changed.</summary>
    public void NoteChange() => _routesChanged = true;

    /// <summary>Gives every lcore its snapshot of a configuration and of the tunnels that there are now.</summary>
    /// <returns>A task that completes when the old ones are not used any more, and freed.</returns>
    public Task Publish(BrokerConfig config)
    {
        _routesChanged = false;
        _recycling.AddRange(negotiated.TakeClosed());
        negotiated.Regroup();
        var replaced = new List<Task>();
        foreach (LcoreUnit unit in units)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ForwardingSnapshot* snapshot = ForwardingSnapshot.Create(config, espTunnels, negotiated);
            _underWay++;
            _replacing.Add((nint)unit.LastForwarding, done);
            unit.LastForwarding = snapshot;
            unit.Post(new LcoreMessage { Kind = LcoreMessageKind.Forwarding, Pointer = (nint)snapshot });
            replaced.Add(done.Task);
        }
        return Task.WhenAll(replaced);
    }

    /// <summary>An lcore uses a snapshot no more.</summary>
    public void Replaced(nint old)
    {
        ForwardingSnapshot.Free((ForwardingSnapshot*)old);
        if (_replacing.Remove(old, out TaskCompletionSource? replaced))
            replaced.SetResult();
        if (--_underWay == 0)
        {
            negotiated.Recycle(_recycling);
            _recycling.Clear();
        }
    }
}
