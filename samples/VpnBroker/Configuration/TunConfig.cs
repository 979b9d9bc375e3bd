using System.Net;

namespace VpnBroker.Configuration;

/// <summary>The TUN port towards the local network.</summary>
public sealed record TunConfig
{
    /// <summary>The interface's name: 1 to 15 bytes.</summary>
    public string Name { get; init; } = "broker0";

    /// <summary>Addresses with their prefix lengths for the interface.</summary>
    public IReadOnlyList<InterfaceAddress> Addresses { get; init; } = [];

    /// <summary>The interface's MTU, in bytes.</summary>
    public int Mtu { get; init; } = 1400;

    /// <summary>Prefixes that the broker sends out of the TUN port (its own forwarding table).</summary>
    public IReadOnlyList<IPNetwork> Routes { get; init; } = [];

    /// <summary>
    /// Prefixes that the broker enters in the kernel's table behind the interface: what local programs and hosts reach through it.
    /// The pools and the ESP tunnels' remote prefixes are entered when the file says nothing.
    /// </summary>
    public IReadOnlyList<IPNetwork> KernelRoutes { get; init; } = [];
}

/// <summary>An interface's address and the length of its prefix.</summary>
/// <param name="Address">The address; host bits may be set.</param>
/// <param name="PrefixLength">0 to 32 or 128.</param>
public readonly record struct InterfaceAddress(IPAddress Address, int PrefixLength)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Address}/{PrefixLength}";
}
