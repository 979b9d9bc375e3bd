using System.Globalization;
using System.Net;
using CryptoPlane.Flows.Sessions;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.Sessions;

namespace VpnBroker.Status;

/// <summary>Reads the sessions inside of tunnels twice, so that there are rates, and keeps the first of what was asked for.</summary>
internal sealed class FlowsCollector(IDataPlane dataPlane, SessionTable? sessions, TimeProvider clock)
{
    /// <summary>Sessions of an answer.</summary>
    public const int MaximumTop = 10_000;

    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(1);

    private static readonly Dictionary<string, byte> s_protocols = new(StringComparer.OrdinalIgnoreCase)
    {
        ["icmp"] = 1, ["tcp"] = 6, ["udp"] = 17, ["gre"] = 47, ["esp"] = 50, ["ah"] = 51, ["icmp6"] = 58, ["sctp"] = 132,
    };

    private static readonly Dictionary<string, TcpState[]> s_states = new(StringComparer.OrdinalIgnoreCase)
    {
        ["opening"] = [TcpState.SynSent, TcpState.SynReceived],
        ["established"] = [TcpState.Established],
        ["closing"] = [TcpState.InitiatorClosed, TcpState.ResponderClosed],
        ["closed"] = [TcpState.Closed, TcpState.Reset],
    };

    /// <summary>Reads.</summary>
    /// <exception cref="FormatException">The request cannot be read; the message says how to write it.</exception>
    /// <exception cref="InvalidOperationException">The data plane is stopping.</exception>
    public async Task<FlowsReport> CollectAsync(FlowsRequest request)
    {
        Func<FlowView, double, double> order = OrderOf(request.Sort);
        IReadOnlyDictionary<int, string> tunnels = await dataPlane.GetEspTunnelNamesAsync();
        if (!TryFilter(request, tunnels, out FlowFilter filter))
            return new FlowsReport(clock.GetUtcNow(), 0, 0, 0, 0, []);
        var before = new Dictionary<ulong, (ulong Forward, ulong Reverse)>();
        long began = clock.GetTimestamp();
        await dataPlane.ReadFlowsAsync(filter, view => before[view.State.FlowId] = (view.State.ForwardOctets, view.State.ReverseOctets));
        await Task.Delay(s_between, clock);

        double seconds = clock.GetElapsedTime(began).TotalSeconds;
        int top = Math.Clamp(request.Top, 1, MaximumTop);
        long matching = 0;
        // The least of the first ones comes out first.
        var first = new PriorityQueue<(FlowView View, double Forward, double Reverse), double>();
        await dataPlane.ReadFlowsAsync(filter, view =>
        {
            matching++;
            // A session that has begun since then has all its bytes of this time.
            (ulong forward, ulong reverse) = before.GetValueOrDefault(view.State.FlowId);
            // Less than before where more was dropped behind routing than came since.
            double sent = Math.Max(0, (long)(view.State.ForwardOctets - forward)) * 8 / seconds;
            double received = Math.Max(0, (long)(view.State.ReverseOctets - reverse)) * 8 / seconds;
            double rank = order(view, sent + received);
            if (first.Count < top)
                first.Enqueue((view, sent, received), rank);
            else if (first.TryPeek(out _, out double least) && rank > least)
                first.EnqueueDequeue((view, sent, received), rank);
        });
        DataPlaneStatus status = await dataPlane.GetStatusAsync(includeTunnels: false);
        Dictionary<ulong, string> users = (sessions?.List() ?? []).ToDictionary(session => session.Id, session => session.User);
        var flows = new List<FlowReport>();
        while (first.TryDequeue(out (FlowView View, double Sent, double Received) flow, out _))
            flows.Add(Report(flow.View, flow.Sent, flow.Received, users, tunnels));
        flows.Reverse();
        return new FlowsReport(
            clock.GetUtcNow(), status.Lcores.Sum(lcore => (long)(lcore.Flows?.Active ?? 0)), status.Lcores.Sum(lcore => (long)(lcore.Flows?.Maximum ?? 0)), matching,
            Math.Round(seconds, 3), flows);
    }

    private static Func<FlowView, double, double> OrderOf(string sort) => sort switch
    {
        "bytes" => (view, _) => (double)view.State.ForwardOctets + view.State.ReverseOctets,
        "packets" => (view, _) => (double)view.State.ForwardPackets + view.State.ReversePackets,
        "rate" => (_, rate) => rate,
        "age" => (view, _) => view.Now - view.State.First,
        "drops" => (view, _) => (double)view.State.ForwardDrops + view.State.ReverseDrops,
        _ => throw new FormatException($"\"{sort}\" is no order: sort by bytes, packets, rate, age or drops"),
    };

    /// <returns>False when nothing can match: the user has no session now.</returns>
    private bool TryFilter(FlowsRequest request, IReadOnlyDictionary<int, string> tunnels, out FlowFilter filter)
    {
        filter = default;
        if (request.Prefix is { } prefix)
            (filter.Prefix, filter.PrefixLength) = ReadPrefix(prefix);
        if (request.Port is { } port)
            (filter.Port, filter.HasPort) = (port is >= 0 and <= ushort.MaxValue ? (ushort)port : throw new FormatException($"{port} is no port: write 0 to 65535"), true);
        if (request.Protocol is { } protocol)
        {
            if (!s_protocols.TryGetValue(protocol, out filter.Protocol) && !byte.TryParse(protocol, NumberStyles.None, CultureInfo.InvariantCulture, out filter.Protocol))
                throw new FormatException($"\"{protocol}\" is no protocol: write {string.Join(", ", s_protocols.Keys)} or a number");
            filter.HasProtocol = true;
        }
        if (request.State is { } state)
            ReadState(state, ref filter);
        if (request.Tunnel is { } tunnel)
            ReadTunnel(tunnel, tunnels, ref filter);
        if (request.User is not { } user)
            return true;
        ulong[] own = [.. (sessions?.List() ?? []).Where(session => session.User == user).Select(session => session.Id)];
        foreach (ulong session in own)
        {
            if (!filter.TryAddUser(session))
                throw new FormatException($"{user} has more than {FlowFilter.MaximumUsers} sessions: ask for an address instead");
        }
        return own.Length > 0;
    }

    private static (SessionAddress Address, int Length) ReadPrefix(string text)
    {
        if (IPAddress.TryParse(text, out IPAddress? address))
            return (SessionAddress.From(address), 128);
        if (!IPNetwork.TryParse(text, out IPNetwork network))
            throw new FormatException($"\"{text}\" is neither an address nor a prefix: write 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32");
        SessionAddress first = SessionAddress.From(network.BaseAddress);
        // IPv4 lies behind 96 bits. All of IPv6 is any address, as all sessions are.
        return (first, first.IsIPv4 ? network.PrefixLength + 96 : network.PrefixLength);
    }

    private static void ReadState(string state, ref FlowFilter filter)
    {
        if (string.Equals(state, "denied", StringComparison.OrdinalIgnoreCase))
        {
            filter.OnlyDenied = true;
            return;
        }
        if (!s_states.TryGetValue(state, out TcpState[]? states))
            throw new FormatException($"\"{state}\" is no state: write {string.Join(", ", s_states.Keys)} or denied");
        foreach (TcpState one in states)
            filter.States |= 1u << (int)one;
    }

    private static void ReadTunnel(string tunnel, IReadOnlyDictionary<int, string> tunnels, ref FlowFilter filter)
    {
        filter.Kind = tunnel switch
        {
            "users" => FlowTunnelKind.User,
            "esp" => FlowTunnelKind.Esp,
            "tun" => FlowTunnelKind.Tun,
            _ => FlowTunnelKind.None,
        };
        if (filter.Kind != FlowTunnelKind.None)
            return;
        int[] numbers = [.. tunnels.Where(entry => entry.Value == tunnel).Select(entry => entry.Key)];
        if (numbers.Length == 0)
            throw new FormatException($"There is no ESP tunnel \"{tunnel}\" now: write users, esp, tun, or a name that \"broker status\" shows");
        filter.EspTunnel = numbers[0] + 1;
    }

    private static FlowReport Report(
        in FlowView view, double sent, double received, Dictionary<ulong, string> users, IReadOnlyDictionary<int, string> tunnels)
    {
        (SessionKey key, SessionState state) = (view.Key, view.State);
        bool isUpper = (state.Flags & SessionFlags.InitiatorIsUpper) != 0;
        var lower = (Address: key.Lower.ToString(), Port: key.HasPorts ? key.LowerPort : (int?)null);
        var upper = (Address: key.Upper.ToString(), Port: key.HasPorts ? key.UpperPort : (int?)null);
        (string Address, int? Port) source = isUpper ? upper : lower, destination = isUpper ? lower : upper;
        return new FlowReport(
            state.FlowId, view.Lcore, ProtocolOf(key), StateOf(key, state),
            new FlowEndReport(source.Address, source.Port, Through(state.IngressKind, state.IngressId)),
            new FlowEndReport(destination.Address, destination.Port, Through(state.EgressKind, state.EgressId)),
            new FlowDirectionReport(state.ForwardPackets, state.ForwardOctets, state.ForwardDrops, Math.Round(sent)),
            new FlowDirectionReport(state.ReversePackets, state.ReverseOctets, state.ReverseDrops, Math.Round(received)),
            Seconds(view.Now - state.First), Seconds(view.Now - state.LastPacket), state.RuleId == 0 ? null : state.RuleId, state.TrafficClass, state.Dscp,
            state.FirstDropReason == 0 ? null : DropReasonNames.Of((DropReason)state.FirstDropReason), (state.Flags & SessionFlags.PickedUp) != 0);

        string Through(FlowTunnelKind kind, ulong id) => kind switch
        {
            FlowTunnelKind.User => users.GetValueOrDefault(id, "user"),
            FlowTunnelKind.Esp => tunnels.GetValueOrDefault((int)id, "esp"),
            _ => kind.ToString().ToLowerInvariant(),
        };
    }

    private static string ProtocolOf(in SessionKey key)
    {
        byte number = key.Protocol;
        string name = s_protocols.FirstOrDefault(entry => entry.Value == number).Key ?? number.ToString(CultureInfo.InvariantCulture);
        return key.Kind switch
        {
            SessionKeyKind.Fragments => name + " fragments",
            SessionKeyKind.Unreadable => name + " unreadable",
            _ => name,
        };
    }

    private static string StateOf(in SessionKey key, in SessionState state)
    {
        if ((state.Flags & SessionFlags.Denied) != 0)
            return "denied";
        if (state.Tcp == TcpState.None)
            return (state.Flags & SessionFlags.Answered) != 0 ? "answered" : "new";
        TcpState tcp = state.Tcp;
        return tcp == TcpState.Reset ? "reset" : s_states.First(entry => entry.Value.Contains(tcp)).Key;
    }

    private static double Seconds(long nanoseconds) => Math.Round(nanoseconds / 1e9, 1);
}
