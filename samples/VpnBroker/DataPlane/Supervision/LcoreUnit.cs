using CryptoPlane.Lcores;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Queueing;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>One lcore with everything that belongs to it, as the supervisor sees it: mailboxes both ways and the arena's free slots.</summary>
internal sealed unsafe class LcoreUnit : IDisposable
{
    private readonly Queue<LcoreMessage> _waiting = new();
    private readonly int[] _freeSlots;
    private int _freeCount;

    /// <summary>Makes what the lcore needs; nothing runs yet.</summary>
    public LcoreUnit(int index, LcoreConfig config, LcoreSizes sizes, int espTunnels, LcoreWaker supervisor, LcoreSupplies supplies)
    {
        Context = new LcoreContext(index, sizes, supplies);
        Pairs = new EspPairs(espTunnels);
        Outbox = new Mailbox<LcoreEvent>(MessageStage.MailboxCapacity, supervisor);
        Options = new LcoreOptions
        {
            Index = index,
            Cpu = config.Cpus[index] < 0 ? null : config.Cpus[index],
            Idle = config.Idle switch
            {
                IdleMode.Busy => IdlePolicy.Busy,
                IdleMode.Blocking => IdlePolicy.Blocking,
                _ => IdlePolicy.Adaptive,
            },
        };
        _freeSlots = [.. Enumerable.Range(0, sizes.Tunnels).Reverse()];
        _freeCount = sizes.Tunnels;
    }

    public LcoreContext Context { get; }

    public EspPairs Pairs { get; }

    public LcoreOptions Options { get; }

    public Mailbox<LcoreEvent> Outbox { get; }

    public Mailbox<LcoreMessage>? Inbox { get; private set; }

    public LcoreWorker? Worker { get; private set; }

    public Lcore? Lcore { get; private set; }

    /// <summary>The snapshot that the lcore uses, or will when it has read its mail. Supervisor only.</summary>
    public ForwardingSnapshot* LastForwarding { get; set; }

    /// <summary>The slots of the arena; those that are not free are the lcore's, except for reading counters.</summary>
    public UserTunnel* Tunnels => Context.Tunnels;

    /// <summary>Messages that wait because the mailbox is full.</summary>
    public bool HasWaiting => _waiting.Count > 0;

    /// <summary>Puts the worker together.</summary>
    /// <param name="ports">The lcore's ports.</param>
    /// <param name="config">What it forwards by at first.</param>
    /// <param name="espTunnels">The ESP tunnels' names by their numbers.</param>
    /// <param name="negotiated">The tunnels of IKE; none yet.</param>
    /// <param name="onFailure">Called when an exception stopped the lcore.</param>
    public void Prepare(
        LcorePorts ports, BrokerConfig config, IReadOnlyList<string> espTunnels, NegotiatedTunnels negotiated, Action<Lcore, Exception> onFailure)
    {
        // The lcore has the waker that its mailboxes need, and wants its worker first: the worker is told its inbox through a relay.
        var relay = new WorkerRelay();
        Lcore = new Lcore(Options with { OnFailure = onFailure }, relay);
        Inbox = new Mailbox<LcoreMessage>(MessageStage.MailboxCapacity, Lcore.Waker);
        Context.Forwarding = LastForwarding = ForwardingSnapshot.Create(config, espTunnels, negotiated);
        if (FlowSettings.From(config) is { } flows)
            Context.Flows = new FlowLedger(Context.Index, flows, &Context.Counters->Flows, MonotonicClock.Nanoseconds) { Users = Context.UserFlows };
        Context.Traffic = TrafficPlan.Of(config);
        Worker = new LcoreWorker(Context, Pairs, ports, Inbox, Outbox);
        relay.Worker = Worker;
        if (Context.Traffic is { } plan)
            OpenQueues(plan, config);
    }

    /// <summary>Gives static ESP tunnels that have a pair of SAs here their limits.</summary>
    private void OpenQueues(TrafficPlan plan, BrokerConfig config)
    {
        IReadOnlyList<EspTunnelConfig> tunnels = config.Esp?.Tunnels ?? [];
        for (int i = 0; i < tunnels.Count; i++)
        {
            if (Pairs[i]->Outbound != null)
                Context.Queues!.OpenEsp(i, plan.OfTunnel(tunnels[i].Name, tunnels[i].Pairs.Count));
        }
    }

    /// <summary>Takes a free slot of the arena.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryTakeSlot(out int slot)
    {
        slot = _freeCount > 0 ? _freeSlots[--_freeCount] : -1;
        return slot >= 0;
    }

    /// <summary>Gives a slot back whose tunnel the lcore has let go.</summary>
    public void ReturnSlot(int slot) => _freeSlots[_freeCount++] = slot;

    /// <summary>Sends a message, in order, now or when there is room. Supervisor only.</summary>
    public void Post(in LcoreMessage message)
    {
        if (_waiting.Count > 0 || !Inbox!.TryPost(message))
            _waiting.Enqueue(message);
    }

    /// <summary>Sends what waits, as far as there is room. Supervisor only.</summary>
    public void PostWaiting()
    {
        while (_waiting.TryPeek(out LcoreMessage message) && Inbox!.TryPost(message))
            _waiting.Dequeue();
    }

    /// <summary>Frees everything; the lcore has stopped, and its ports are disposed of before its pools here.</summary>
    public void Dispose()
    {
        Lcore?.Dispose();
        Worker?.Dispose();
        Inbox?.Dispose();
        Outbox.Dispose();
        if (LastForwarding != Context.Forwarding)
            ForwardingSnapshot.Free(LastForwarding);
        ForwardingSnapshot.Free(Context.Forwarding);
        Pairs.Dispose();
        Context.Dispose();
    }
}
