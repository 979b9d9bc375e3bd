using CryptoPlane.IO;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>
/// Brings users' data channels to their lcores, and tells the other lcores whose datagrams they are to hand over there. Supervisor's thread.
/// </summary>
internal sealed unsafe class DtlsChannels(IReadOnlyList<LcoreUnit> units, IReadOnlyDictionary<ulong, (int Lcore, int Slot)> tunnels)
{
    private readonly Dictionary<nint, (ulong Tunnel, TaskCompletionSource<bool> Done)> _attaching = [];
    private readonly Dictionary<ulong, Place> _places = [];

    /// <summary>Tells the kernel as well; null where it is not to be told. Set before the lcores start.</summary>
    public PeerSteering? Steering { get; set; }

    /// <summary>Gives a tunnel a data channel.</summary>
    /// <returns>A task that says, when the lcore has looked at it, whether it was taken.</returns>
    public Task<bool> Attach(DtlsChannelRequest request)
    {
        var binding = (DtlsBinding*)request.Binding;
        if (!tunnels.TryGetValue(request.TunnelId, out (int Lcore, int Slot) place))
        {
            DtlsBinding.Free(binding);
            return Task.FromResult(false);
        }
        binding->Peer = PacketEndpoint.From(request.Peer);
        binding->Port = request.Port;
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        _attaching.Add(request.Binding, (request.TunnelId, done));
        units[place.Lcore].Post(new LcoreMessage { Kind = LcoreMessageKind.DtlsAttach, Slot = place.Slot, Value = request.TunnelId, Pointer = request.Binding });
        return done.Task;
    }

    /// <summary>An lcore has looked at a binding.</summary>
    public void Attached(LcoreUnit unit, int slot, nint pointer)
    {
        var binding = (DtlsBinding*)pointer;
        bool taken = binding->Taken != 0;
        PacketEndpoint peer = binding->Peer;
        DtlsBinding.Free(binding);
        _attaching.Remove(pointer, out (ulong Tunnel, TaskCompletionSource<bool> Done) waiting);
        if (taken)
        {
            Ended(waiting.Tunnel);
            Announce(waiting.Tunnel, new Place(unit.Context.Index, peer, DtlsPeers.KeyOf(peer), DtlsPeers.HostKeyOf(peer)));
        }
        waiting.Done.SetResult(taken);
    }

    /// <summary>A client's datagrams come from another port.</summary>
    public void Moved(LcoreUnit unit, int slot, ulong key)
    {
        ulong tunnel = unit.Tunnels[slot].TunnelId;
        if (!_places.TryGetValue(tunnel, out Place place) || place.Lcore != unit.Context.Index)
            return;
        Ended(tunnel);
        // Read while the lcore may be changing it again: a wrong one is only steered to where its datagrams are handed over from.
        Announce(tunnel, place with { Peer = unit.Tunnels[slot].DtlsPeer, Key = key });
    }

    /// <summary>A tunnel, or its data channel, is no more.</summary>
    public void Ended(ulong tunnel)
    {
        if (_places.Remove(tunnel, out Place place))
            Tell(place, isThere: false);
    }

    /// <summary>The lcores have stopped: nobody waits in vain.</summary>
    public void Abandon()
    {
        foreach ((nint binding, (_, TaskCompletionSource<bool> done)) in _attaching)
        {
            DtlsBinding.Free((DtlsBinding*)binding);
            done.SetResult(false);
        }
        _attaching.Clear();
    }

    private void Announce(ulong tunnel, in Place place)
    {
        _places[tunnel] = place;
        Tell(place, isThere: true);
    }

    private void Tell(in Place place, bool isThere)
    {
        if (isThere)
            Steering?.TrySet(place.Peer, place.Lcore);
        else
            Steering?.Remove(place.Peer);
        foreach (LcoreUnit unit in units)
        {
            if (unit.Context.Index == place.Lcore)
                continue;
            unit.Post(new LcoreMessage
            {
                Kind = LcoreMessageKind.DtlsPeer, Slot = place.Lcore, Length = isThere ? 1 : 0, Value = place.Key, Pointer = (nint)place.HostKey,
            });
        }
    }

    /// <summary>Where a data channel is, its client's address, and the keys of that with and without the port.</summary>
    private readonly record struct Place(int Lcore, PacketEndpoint Peer, ulong Key, ulong HostKey);
}
