namespace VpnBroker.Monitoring;

/// <summary>What a port, a kind of port or a tunnel carries per second.</summary>
/// <param name="ReceivedPackets">Packets per second that come in.</param>
/// <param name="ReceivedBits">Their bits per second.</param>
/// <param name="SentPackets">Packets per second that go out.</param>
/// <param name="SentBits">Their bits per second.</param>
public readonly record struct TrafficRate(double ReceivedPackets, double ReceivedBits, double SentPackets, double SentBits)
{
    /// <summary>The sum of two.</summary>
    public static TrafficRate operator +(TrafficRate left, TrafficRate right) => new(
        left.ReceivedPackets + right.ReceivedPackets, left.ReceivedBits + right.ReceivedBits,
        left.SentPackets + right.SentPackets, left.SentBits + right.SentBits);
}
