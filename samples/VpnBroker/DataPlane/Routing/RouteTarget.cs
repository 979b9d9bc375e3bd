namespace VpnBroker.DataPlane.Routing;

/// <summary>Where a route leads.</summary>
internal enum RouteKind : byte
{
    /// <summary>Nowhere: there is no route.</summary>
    None = 0,

    /// <summary>To users of one lcore: <see cref="RouteTarget.Index"/> is the lcore.</summary>
    Users = 1,

    /// <summary>Into an ESP tunnel: <see cref="RouteTarget.Index"/> is its number.</summary>
    Esp = 2,

    /// <summary>Out of the TUN port.</summary>
    Tun = 3,

    /// <summary>Not a destination but an origin: another lcore, which has checked the packet and handed it over.</summary>
    Lcore = 4,

    /// <summary>Into one of several ESP tunnels that share a prefix: <see cref="RouteTarget.Index"/> is the number of their <see cref="PeerGroup"/>.</summary>
    Peers = 5,
}

/// <summary>A route's target in four bytes; the default is <see cref="RouteKind.None"/>.</summary>
/// <param name="Value">Kind in bits 24 to 30, index below.</param>
internal readonly record struct RouteTarget(uint Value)
{
    public RouteTarget(RouteKind kind, int index) : this(((uint)kind << 24) | (uint)index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, 0xFF_FFFF);
    }

    public RouteKind Kind => (RouteKind)(Value >> 24);

    /// <summary>Whether packets from there must show that their source is behind it: whoever else gives packets has looked already.</summary>
    public bool MustProveSource => Kind is RouteKind.Esp or RouteKind.Tun;

    /// <summary>Into an ESP tunnel whose number is known to be one.</summary>
    public static RouteTarget OfEsp(int tunnel) => new(((uint)RouteKind.Esp << 24) | (uint)tunnel);

    public int Index => (int)(Value & 0xFF_FFFF);
}
