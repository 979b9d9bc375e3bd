namespace VpnBroker.DataPlane.Routing;

/// <summary>What <see cref="HostTable"/> says of an inner address: the slot of a user's TLS tunnel, or the number of a user's ESP tunnel.</summary>
internal static class HostTarget
{
    private const int EspFlag = 1 << 30;

    /// <summary>The entry of an ESP tunnel.</summary>
    public static int OfEsp(int tunnel) => tunnel | EspFlag;

    /// <summary>Whether an entry that was found is an ESP tunnel.</summary>
    public static bool IsEsp(int host) => host >= EspFlag;

    /// <summary>Whether an entry that was found is a slot.</summary>
    public static bool IsSlot(int host) => (uint)host < EspFlag;

    /// <summary>The number of an ESP tunnel.</summary>
    public static int EspTunnelOf(int host) => host & ~EspFlag;
}
