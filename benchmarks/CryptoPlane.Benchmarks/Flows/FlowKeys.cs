using CryptoPlane.Flows;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>A 5-tuple, made from a flow's number; the same bytes as benchmarks/native/rte_hash makes.</summary>
internal interface IBenchmarkKey<TSelf> : IFlowKey<TSelf>, IEquatable<TSelf>
    where TSelf : unmanaged, IBenchmarkKey<TSelf>
{
    static abstract TSelf Of(uint flow);
}

/// <summary>IPv4: addresses, ports, and the protocol in a word of its own; 16 bytes.</summary>
internal readonly record struct KeyIPv4(ulong Addresses, ulong Ports) : IBenchmarkKey<KeyIPv4>
{
    public static KeyIPv4 Of(uint flow)
    {
        ulong random = FlowOrder.Mix(flow + FlowOrder.Step);
        return new KeyIPv4((0x0A000000u + (ulong)flow) | ((0xC0A80000u | (random & 0xFFFF)) << 32), PortsOf(random));
    }

    public static ulong PortsOf(ulong random) => ((random >> 16) & 0xFFFF) | (443UL << 16) | (6UL << 32);

    public static ulong Hash(in KeyIPv4 key, in FlowHashSeed seed) => FlowHash.Of(in key, in seed);

    public static bool Equals(in KeyIPv4 a, in KeyIPv4 b) => FlowHash.Same(in a, in b);
}

/// <summary>IPv6: the same, 40 bytes.</summary>
internal readonly record struct KeyIPv6(ulong SourcePrefix, ulong Source, ulong DestinationPrefix, ulong Destination, ulong Ports)
    : IBenchmarkKey<KeyIPv6>
{
    public static KeyIPv6 Of(uint flow)
    {
        ulong random = FlowOrder.Mix(flow + FlowOrder.Step);
        return new KeyIPv6(0x20010DB800000000, flow, 0x20010DB800000001, random & 0xFFFF, KeyIPv4.PortsOf(random));
    }

    public static ulong Hash(in KeyIPv6 key, in FlowHashSeed seed) => FlowHash.Of(in key, in seed);

    public static bool Equals(in KeyIPv6 a, in KeyIPv6 b) => FlowHash.Same(in a, in b);
}
