using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Flows;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Inner;

namespace VpnBroker.DataPlane.Routing;

/// <summary>An ESP tunnel as forwarding sees it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EspTarget
{
    /// <summary>The MTU inside the tunnel, in bytes.</summary>
    public int Mtu;

    /// <summary>The lcore that sends into the tunnel for lcores that have no pair of SAs of their own.</summary>
    public int DefaultLcore;

    /// <summary>The tunnel for packets that no lcore's own pair takes, where <see cref="HasFallback"/>.</summary>
    public int Fallback;

    public bool HasFallback;

    /// <summary>Whether IKE has made it, so that its SAs have selectors and have compared packets with them.</summary>
    public bool IsNegotiated;
}

/// <summary>
/// What one lcore forwards by, in native memory: made on a control thread, never changed, swapped as a pointer by the lcore and freed by
/// the control thread once the lcore has said that it uses another. Only the table of peers that share prefixes is swapped within, by the lcore.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ForwardingSnapshot
{
    private uint* _ipv4;
    private uint* _ipv6;
    private EspTarget* _esp;
    private PeerGroup* _peers;

    /// <summary>The secret of the hash by which flows are spread over peers; the same on all lcores.</summary>
    public FlowHashSeed PeerSeed;

    /// <summary>The broker's own addresses: the source of ICMP errors; none without a TUN interface.</summary>
    public InnerAddress RouterIPv4;
    public InnerAddress RouterIPv6;

    /// <summary>The TUN interface's MTU, in bytes.</summary>
    public int TunMtu;

    /// <summary>Asks for the first line that <see cref="Find"/> reads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void FetchRoot(in InnerAddress address) =>
        CacheLine.Fetch(address.Family == 4 ? PrefixTrie.Root(_ipv4, (ulong)address.Low << 32) : PrefixTrie.Root(_ipv6, address.High));

    /// <summary>Asks for the second line that <see cref="Find"/> reads, which the first one names.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void FetchLeaf(in InnerAddress address) =>
        CacheLine.Fetch(address.Family == 4 ? PrefixTrie.Leaf(_ipv4, (ulong)address.Low << 32) : PrefixTrie.Leaf(_ipv6, address.High));

    /// <summary>Asks for the line of an ESP tunnel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void FetchEsp(int tunnel) => CacheLine.Fetch(_esp + tunnel);

    /// <summary>The target of the longest prefix that covers an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly RouteTarget Find(in InnerAddress address) =>
        address.Family == 4 ? PrefixTrie.Find(_ipv4, (uint)address.Low) : PrefixTrie.Find(_ipv6, address.High, address.Low);

    /// <summary>An ESP tunnel by its number, which a route of this snapshot gave.</summary>
    // Sound: routes of a snapshot name tunnels below the length of its own array.
    public readonly ref readonly EspTarget Esp(int tunnel) => ref _esp[tunnel];

    /// <summary>Whether there are peers that share a prefix.</summary>
    public readonly bool HasPeers => _peers != null;

    /// <summary>Peers that share a prefix, by the number that a route of this snapshot gave.</summary>
    // Sound: routes of a snapshot name groups below the length of its array, and SwapPeers gives it one of the same length.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly PeerGroup* Peers(int group) => _peers + group;

    /// <summary>Takes another table of the same groups, in memory of <see cref="NativeMemory"/>.</summary>
    /// <returns>The one of before, to be freed.</returns>
    public PeerGroup* SwapPeers(PeerGroup* peers)
    {
        PeerGroup* before = _peers;
        _peers = peers;
        return before;
    }

    /// <summary>Makes a snapshot.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="espTunnels">The names of the ESP tunnels that have SAs, in the order of their numbers; others are not routed to.</param>
    /// <param name="negotiated">The tunnels that IKE has made, whose numbers are above those; null for none.</param>
    public static ForwardingSnapshot* Create(BrokerConfig config, IReadOnlyList<string> espTunnels, NegotiatedTunnels? negotiated = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(espTunnels);
        Dictionary<string, int> numbers = espTunnels.Select((name, number) => (name, number)).ToDictionary(entry => entry.name, entry => entry.number);
        var targets = new EspTarget[espTunnels.Count + (negotiated?.Capacity ?? 0)];
        foreach (EspTunnelConfig tunnel in config.Esp?.Tunnels ?? [])
        {
            if (numbers.TryGetValue(tunnel.Name, out int number))
                targets[number] = new EspTarget { Mtu = tunnel.Mtu, DefaultLcore = tunnel.Pairs[0].Lcore };
        }
        negotiated?.Describe(targets);
        ForwardingSnapshot* snapshot = Create(RouteTable.RoutesOf(config, numbers, negotiated?.Routes ?? []), targets);
        if (negotiated != null)
        {
            snapshot->_peers = negotiated.DescribeGroups();
            snapshot->PeerSeed = negotiated.Seed;
        }
        foreach (InterfaceAddress address in config.LocalNetwork?.Addresses ?? [])
        {
            InnerAddress own = InnerAddress.From(address.Address);
            if (own.Family == 4 && snapshot->RouterIPv4.Family == 0)
                snapshot->RouterIPv4 = own;
            else if (own.Family == 6 && snapshot->RouterIPv6.Family == 0)
                snapshot->RouterIPv6 = own;
        }
        snapshot->TunMtu = config.LocalNetwork?.Mtu ?? 0;
        return snapshot;
    }

    /// <summary>A snapshot of nothing but routes.</summary>
    /// <param name="routes">The routes.</param>
    /// <param name="esp">The ESP tunnels that they lead to, by their numbers.</param>
    public static ForwardingSnapshot* Create(IEnumerable<Route> routes, params ReadOnlySpan<EspTarget> esp)
    {
        var snapshot = (ForwardingSnapshot*)NativeMemory.AllocZeroed((nuint)sizeof(ForwardingSnapshot));
        snapshot->_esp = (EspTarget*)NativeMemory.Alloc((nuint)Math.Max(1, esp.Length), (nuint)sizeof(EspTarget));
        esp.CopyTo(new Span<EspTarget>(snapshot->_esp, esp.Length));
        using var table = new RouteTable(routes);
        table.Detach(out snapshot->_ipv4, out snapshot->_ipv6);
        return snapshot;
    }

    /// <summary>Frees a snapshot that no lcore uses any more; null does nothing.</summary>
    public static void Free(ForwardingSnapshot* snapshot)
    {
        if (snapshot == null)
            return;
        NativeMemory.Free(snapshot->_ipv4);
        NativeMemory.Free(snapshot->_ipv6);
        NativeMemory.Free(snapshot->_esp);
        NativeMemory.Free(snapshot->_peers);
        NativeMemory.Free(snapshot);
    }
}
