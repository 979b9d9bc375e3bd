using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Esp;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Devices;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Queueing;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>
/// The pairs of SAs that IKE has negotiated: makes them, tells their lcores, and keeps the routes that follow from them. Supervisor's thread.
/// </summary>
/// <param name="units">The lcores.</param>
/// <param name="tunnels">The tunnels' numbers and routes.</param>
/// <param name="carrierOf">What carries ESP of a local address; null where nothing does.</param>
/// <param name="routesChanged">Called when lcores must get other routes.</param>
/// <param name="subjectOf">The number of a user and the groups in the policy.</param>
/// <param name="traffic">What tunnels get; null where traffic is not managed.</param>
/// <param name="limits">What users' connections get, likewise.</param>
internal sealed unsafe class EspChildren(
    IReadOnlyList<LcoreUnit> units, NegotiatedTunnels tunnels, Func<EspMode, IPAddress, EspCarrier?> carrierOf, Action routesChanged,
    Func<string, IReadOnlyList<string>, uint> subjectOf, TrafficPlan? traffic, UserLimits? limits)
{
    private readonly Dictionary<uint, EspChildPlace> _places = [];
    private readonly EspOrders _orders = new();

    /// <summary>The pairs.</summary>
    public IReadOnlyCollection<EspChildPlace> Places => _places.Values;

    /// <inheritdoc cref="IEspChildren.LifetimePassed"/>
    public Action? LifetimePassed { get; set; }

    /// <summary>An lcore has obeyed an order.</summary>
    public void Obeyed(nint order) => _orders.Obeyed(order);

    /// <inheritdoc cref="IEspChildren.InstallAsync"/>
    public Task Install(EspChildRequest request)
    {
        try
        {
            return Add(request);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(request.InboundKey);
            CryptographicOperations.ZeroMemory(request.OutboundKey);
        }
    }

    /// <inheritdoc cref="IEspChildren.ActivateAsync"/>
    public Task<bool> Activate(uint inboundSpi)
    {
        if (!_places.TryGetValue(inboundSpi, out EspChildPlace? place))
            return Task.FromResult(false);
        NegotiatedTunnel tunnel = place.Tunnel;
        EspChildRequest request = place.Request;
        bool same = tunnel.IsActive && tunnel.SenderOn(request.Lcore) != null
            && (tunnel.Priority, tunnel.Weight, tunnel.Mtu) == (request.Priority, request.Weight, request.Mtu) && tunnel.Behind.SequenceEqual(request.RemoteSelectors);
        tunnel.Activate(request.Lcore, inboundSpi);
        (tunnel.Priority, tunnel.Weight, tunnel.Mtu, tunnel.Behind) = (request.Priority, request.Weight, request.Mtu, request.RemoteSelectors);
        Task<bool> used = Use(tunnel, request.Lcore);
        if (!same && tunnel.User is null)
            routesChanged();
        return used;
    }

    /// <inheritdoc cref="IEspChildren.MoveAsync"/>
    public Task<bool> Move(uint inboundSpi, EspMode mode, IPEndPoint local, IPEndPoint remote)
    {
        // Another port of the lcore, or an SA that has the outer addresses in a header of its own (a DPDK port's), stays as it was made.
        if (!_places.TryGetValue(inboundSpi, out EspChildPlace? place) || mode != place.Request.Mode || !local.Address.Equals(place.Request.Local.Address)
            || carrierOf(mode, local.Address) is not { OuterHeader: EspOuterHeader.None })
        {
            return Task.FromResult(false);
        }
        place.Remote = remote;
        return Post(place, EspOrderKind.Move);
    }

    /// <inheritdoc cref="IEspChildren.RemoveAsync"/>
    public Task<EspActivity?> Remove(uint inboundSpi)
    {
        if (!_places.Remove(inboundSpi, out EspChildPlace? place))
            return Task.FromResult<EspActivity?>(null);
        NegotiatedTunnel tunnel = place.Tunnel;
        // Before the removal is posted: with it the SAs' life ends.
        EspActivity carried = place.ReadActivity();
        tunnel.Carried = tunnel.Carried.Plus(carried);
        int lcore = place.Request.Lcore;
        bool sent = tunnel.SenderOn(lcore) == inboundSpi;
        tunnel.Deactivate(lcore, inboundSpi);
        if (sent)
        {
            // In this order: the lcore never has a pair in use that it has freed.
            _ = Use(tunnel, lcore);
            if (tunnel.SenderOn(lcore) == null && tunnel.User is null)
                routesChanged();
        }
        if (--tunnel.Pairs == 0)
        {
            tunnels.Close(tunnel, tunnel.IsRouted);
            if (tunnel.User is null)
                routesChanged();
        }
        var done = new TaskCompletionSource<EspActivity?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _orders.Post(units[lcore], OrderOf(place, EspOrderKind.Remove), _ =>
        {
            place.FreeSources();
            done.SetResult(carried);
        });
        return done.Task;
    }

    /// <inheritdoc cref="IEspChildren.ReadActivityAsync"/>
    public IReadOnlyList<EspActivity> ReadActivity() => [.. _places.Values.Select(place => place.ReadActivity())];

    /// <summary>Settles what stopped lcores have left; their databases free the SAs.</summary>
    public void Abandon()
    {
        _orders.Abandon();
        foreach (EspChildPlace place in _places.Values)
            place.FreeSources();
        _places.Clear();
    }

    private Task Add(EspChildRequest request)
    {
        if ((uint)request.Lcore >= (uint)units.Count || Spi.LcoreOf(request.InboundSpi) != request.Lcore)
            throw new ArgumentException($"The SPI 0x{request.InboundSpi:x8} does not name lcore {request.Lcore}, of {units.Count}.", nameof(request));
        if (_places.ContainsKey(request.InboundSpi))
            throw new ArgumentException($"The SPI 0x{request.InboundSpi:x8} is in use.", nameof(request));
        if (carrierOf(request.Mode, request.Local.Address) is not { } carrier)
        {
            throw new ArgumentException(
                $"Nothing here carries {(request.Mode == EspMode.Udp ? "ESP in UDP" : "ESP by IP")} of {request.Local.Address}: it is none of ipsec.listen.", nameof(request));
        }
        if (!tunnels.TryOpen(request, out NegotiatedTunnel? tunnel))
            throw new InvalidOperationException($"There are {tunnels.Count} IPsec tunnels: raise ipsec.maximumChildren.");
        LcoreUnit unit = units[request.Lcore];
        var place = new EspChildPlace(request, tunnel, carrier.Port)
        {
            User = request.User is { } user ? new EspPairUser { SessionId = user.SessionId, Subject = subjectOf(user.Name, user.Groups) } : default,
        };
        try
        {
            place.Inbound = InboundSa.Create(InboundOf(request, tunnel.Number), request.InboundKey, unit.Context.Associations);
            place.Outbound = OutboundSa.Create(OutboundOf(request, tunnel.Number, carrier, place.AsksSa), request.OutboundKey, unit.Context.Associations);
        }
        catch
        {
            // Nobody has used the keys: any engine of this thread may retire them.
            Discard(place);
            if (tunnel.Pairs == 0)
                tunnels.Close(tunnel, tunnel.IsRouted);
            throw;
        }
        place.AllocateSources();
        tunnel.Pairs++;
        _places.Add(request.InboundSpi, place);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _orders.Post(unit, OrderOf(place, EspOrderKind.Add), order =>
        {
            if (order.Accepted)
            {
                done.SetResult();
                return;
            }
            _places.Remove(request.InboundSpi);
            if (--tunnel.Pairs == 0)
                tunnels.Close(tunnel, tunnel.IsRouted);
            Discard(place);
            done.SetException(new InvalidOperationException($"Lcore {request.Lcore} has no room for another pair of SAs: raise ipsec.maximumChildren."));
        });
        return done.Task;
    }

    /// <summary>Tells an lcore which pair of a tunnel sends; none where none is active.</summary>
    private Task<bool> Use(NegotiatedTunnel tunnel, int lcore)
    {
        if (tunnel.SenderOn(lcore) is { } sender)
            return Post(_places[sender], EspOrderKind.Use);
        limits?.End(lcore, NodeOf(tunnel, lcore));
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var nothing = new EspOrder { Kind = EspOrderKind.Use, Tunnel = tunnel.Number, UserIPv4 = InnerAddress.From(tunnel.User?.IPv4), UserIPv6 = InnerAddress.From(tunnel.User?.IPv6) };
        _orders.Post(units[lcore], nothing, order => done.SetResult(order.Accepted));
        return done.Task;
    }

    private Task<bool> Post(EspChildPlace place, EspOrderKind kind)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        _orders.Post(units[place.Request.Lcore], OrderOf(place, kind), order => done.SetResult(order.Accepted));
        return done.Task;
    }

    private EspOrder OrderOf(EspChildPlace place, EspOrderKind kind) => new()
    {
        Limits = kind == EspOrderKind.Use ? LimitsOf(place) : default,
        Kind = kind,
        Tunnel = place.Tunnel.Number,
        Port = place.Port,
        Inbound = place.Inbound,
        Outbound = place.Outbound,
        Sources = place.Sources,
        SourceCount = place.SourceCount,
        AsksSa = place.AsksSa,
        Remote = PacketEndpoint.From(place.Remote),
        UserIPv4 = InnerAddress.From(place.Request.User?.IPv4),
        UserIPv6 = InnerAddress.From(place.Request.User?.IPv6),
        UserMtu = place.Request.User is null ? 0 : place.Request.Mtu,
        User = place.User,
    };

    private TunnelLimits LimitsOf(EspChildPlace place)
    {
        if (traffic == null)
            return default;
        // A pair that replaces another one has what that one had.
        return place.Request.User is { } user
            ? limits!.Begin(user.Name, user.Groups, place.Request.Lcore, NodeOf(place.Tunnel, place.Request.Lcore))
            : traffic.OfTunnel(place.Tunnel.Peer, Math.Max(1, place.Tunnel.Lcores.Count));
    }

    private int NodeOf(NegotiatedTunnel tunnel, int lcore) => units[lcore].Context.Queues!.NodeOfEsp(tunnel.Number);

    private static void Discard(EspChildPlace place)
    {
        using AeadEngine engine = AeadEngine.CreateDefault();
        InboundSa.Free(place.Inbound, engine);
        OutboundSa.Free(place.Outbound, engine);
        place.FreeSources();
    }

    private static InboundSaParameters InboundOf(EspChildRequest request, int tunnel) => new()
    {
        Spi = request.InboundSpi,
        Algorithm = request.Algorithm,
        Cbc = request.Cbc,
        ExtendedSequenceNumbers = request.Esn,
        ReplayWindow = request.ReplayWindow,
        Lifetime = request.Lifetime,
        UserData = (ulong)tunnel,
        LocalSelectors = request.LocalSelectors,
        RemoteSelectors = request.RemoteSelectors,
    };

    private static OutboundSaParameters OutboundOf(EspChildRequest request, int tunnel, EspCarrier carrier, bool asksSa) => new()
    {
        LocalSelectors = asksSa ? request.LocalSelectors : [],
        RemoteSelectors = asksSa ? request.RemoteSelectors : [],
        Spi = request.OutboundSpi,
        Algorithm = request.Algorithm,
        Cbc = request.Cbc,
        ExtendedSequenceNumbers = request.Esn,
        Lifetime = request.Lifetime,
        UserData = (ulong)tunnel,
        OuterHeader = carrier.OuterHeader,
        Source = request.Local.Address,
        Destination = request.Remote.Address,
        SourcePort = (ushort)request.Local.Port,
        DestinationPort = (ushort)request.Remote.Port,
    };
}
