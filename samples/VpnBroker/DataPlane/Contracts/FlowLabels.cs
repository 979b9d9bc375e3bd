namespace VpnBroker.DataPlane.Contracts;

/// <summary>What numbers in flow records stand for, as the data plane knows it at one moment.</summary>
/// <param name="EspTunnels">ESP tunnels, configured and negotiated, by their numbers.</param>
/// <param name="Rules">The policy's rules by their numbers.</param>
public sealed record FlowLabels(IReadOnlyDictionary<ulong, string> EspTunnels, IReadOnlyDictionary<uint, string> Rules)
{
    /// <summary>Nothing is known.</summary>
    public static FlowLabels None { get; } = new(new Dictionary<ulong, string>(), new Dictionary<uint, string>());
}
