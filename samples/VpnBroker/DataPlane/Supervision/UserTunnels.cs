using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Capture;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>Users' tunnels from the call that begins one to the report that it has ended. Supervisor's thread.</summary>
/// <param name="units">The lcores.</param>
/// <param name="policy">Knows who users are to it.</param>
/// <param name="limits">Knows what users' connections get; null where traffic is not managed.</param>
internal sealed unsafe class UserTunnels(IReadOnlyList<LcoreUnit> units, PolicyPublisher policy, UserLimits? limits)
{
    /// <summary>Plain numbers, nothing that the garbage collector would follow.</summary>
    private readonly Dictionary<ulong, (int Lcore, int Slot)> _places = [];
    private readonly Dictionary<ulong, TaskCompletionSource> _attaching = [];
    private readonly Dictionary<ulong, List<TaskCompletionSource<bool>>> _detaching = [];

    /// <summary>Called for every tunnel that has ended.</summary>
    public Action<TunnelEnded>? Ended { get; set; }

    /// <summary>Called with a tunnel's id before its end is reported.</summary>
    public Action<ulong>? Ending { get; set; }

    /// <summary>Why no tunnel begins any more; null as long as they do.</summary>
    public string? Refusal { get; set; }

    /// <summary>The tunnels and where they are.</summary>
    public IReadOnlyDictionary<ulong, (int Lcore, int Slot)> Places => _places;

    /// <summary>Gives a connection to its lcore. What comes with the request is closed and freed when it is refused.</summary>
    /// <returns>A task that completes when the lcore has it.</returns>
    /// <exception cref="InvalidOperationException">It is refused.</exception>
    public Task Attach(UserTunnelRequest request)
    {
        LcoreUnit? unit = (uint)request.Lcore < (uint)units.Count ? units[request.Lcore] : null;
        string? refusal = Refusal
            ?? (unit == null ? $"There is no lcore {request.Lcore}: take one below {units.Count}."
            : request.Mtu > unit.Context.Sizes.MaxPacket ? $"The MTU {request.Mtu} is larger than the data plane's buffers of {unit.Context.Sizes.MaxPacket} bytes: restart with the new configuration."
            : _places.ContainsKey(request.TunnelId) ? $"Tunnel {request.TunnelId} exists: an id is used once."
            : null);
        int slot = -1;
        if (refusal == null && !unit!.TryTakeSlot(out slot))
            refusal = $"Lcore {request.Lcore} has no room for another tunnel: raise limits.sessions and restart.";
        if (refusal != null)
        {
            Abandon(request);
            throw new InvalidOperationException(refusal);
        }

        // The slot is the supervisor's until the message is posted, which publishes what is written here.
        UserTunnel* tunnel = unit!.Tunnels + slot;
        *tunnel = new UserTunnel
        {
            Traffic = (TlsTrafficState*)request.TrafficStates,
            Socket = request.Socket,
            Mtu = request.Mtu,
            UnsentBound = request.UnsentBytes,
            DpdSeconds = request.DpdSeconds,
            KeepaliveSeconds = request.KeepaliveSeconds,
            IdleSeconds = request.IdleSeconds,
            TunnelId = request.TunnelId,
            SessionId = request.SessionId,
            Subject = policy.SubjectOf(request.User, request.Groups),
            IPv4 = InnerAddress.From(request.InnerIPv4),
            IPv6 = InnerAddress.From(request.InnerIPv6),
            Dtls = request.OffersDtls ? DtlsBinding.CreateStates() : null,
            Limits = limits?.Begin(request.User, request.Groups, request.Lcore, slot) ?? default,
            Capture = new CaptureConnection
            {
                Peer = request.Remote is { } remote ? PacketEndpoint.From(remote) : default,
                Local = request.Local is { } local ? PacketEndpoint.From(local) : default,
                Subject = CaptureNotes.OfSession(request.SessionId),
            },
        };
        nint unread = 0;
        if (request.Unread.Length > 0)
        {
            unread = (nint)NativeMemory.Alloc((nuint)request.Unread.Length);
            request.Unread.CopyTo(new Span<byte>((byte*)unread, request.Unread.Length));
        }
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _places.Add(request.TunnelId, (request.Lcore, slot));
        _attaching.Add(request.TunnelId, done);
        unit.Post(new LcoreMessage { Kind = LcoreMessageKind.Attach, Slot = slot, Pointer = unread, Length = request.Unread.Length });
        return done.Task;
    }

    /// <summary>The lcore has a tunnel.</summary>
    public void Attached(LcoreUnit unit, int slot)
    {
        if (_attaching.Remove(unit.Tunnels[slot].TunnelId, out TaskCompletionSource? attached))
            attached.SetResult();
    }

    /// <summary>Ends a tunnel.</summary>
    /// <returns>A task that says, when the tunnel is gone, whether it existed.</returns>
    public Task<bool> Detach(ulong tunnelId, TunnelEndReason reason)
    {
        if (!_places.TryGetValue(tunnelId, out (int Lcore, int Slot) place))
            return Task.FromResult(false);
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_detaching.TryGetValue(tunnelId, out List<TaskCompletionSource<bool>>? waiting))
            _detaching.Add(tunnelId, waiting = []);
        waiting.Add(done);
        units[place.Lcore].Post(new LcoreMessage { Kind = LcoreMessageKind.Detach, Slot = place.Slot, Value = tunnelId, Reason = reason });
        return done.Task;
    }

    /// <summary>A tunnel is gone: its native block is freed and the control plane told.</summary>
    public void Settle(LcoreUnit unit, int slot, TunnelEndReason reason)
    {
        UserTunnel* tunnel = unit.Tunnels + slot;
        // The lcore has released the keys and zeroed the states.
        NativeMemory.AlignedFree(tunnel->Traffic);
        tunnel->Traffic = null;
        if (tunnel->Dtls != null)
            NativeMemory.AlignedFree(tunnel->Dtls);
        tunnel->Dtls = null;
        ulong id = tunnel->TunnelId;
        Ending?.Invoke(id);
        _places.Remove(id);
        limits?.End(unit.Context.Index, slot);
        if (_attaching.Remove(id, out TaskCompletionSource? attached))
            attached.SetException(new InvalidOperationException("The data plane stopped before the tunnel began."));
        Ended?.Invoke(new TunnelEnded(id, tunnel->SessionId, reason, tunnel->Counters.ReceivedBytes, tunnel->Counters.SentBytes));
        if (!_detaching.Remove(id, out List<TaskCompletionSource<bool>>? waiting))
            return;
        foreach (TaskCompletionSource<bool> detached in waiting)
            detached.SetResult(true);
    }

    /// <summary>Settles what the stopped lcores have left.</summary>
    public void Abandon()
    {
        foreach ((int lcore, int slot) in _places.Values.ToArray())
        {
            UserTunnel* tunnel = units[lcore].Tunnels + slot;
            // Still free: its message was never read, so that nobody has closed and released what came with it.
            if (tunnel->State == TunnelState.Free)
                Release(tunnel->Traffic, tunnel->Socket);
            Settle(units[lcore], slot, TunnelEndReason.Shutdown);
        }
    }

    /// <summary>Frees what came with a request that is refused.</summary>
    public static void Abandon(UserTunnelRequest request)
    {
        var traffic = (TlsTrafficState*)request.TrafficStates;
        Release(traffic, request.Socket);
        NativeMemory.AlignedFree(traffic);
    }

    private static void Release(TlsTrafficState* traffic, int socket)
    {
        using AeadEngine engine = AeadEngine.CreateDefault();
        traffic[0].Release(engine);
        traffic[1].Release(engine);
        TcpSocket.Close(socket);
    }
}
