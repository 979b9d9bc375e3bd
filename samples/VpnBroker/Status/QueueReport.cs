namespace VpnBroker.Status;

/// <summary>What waited for its turn, was sent, marked and dropped.</summary>
/// <param name="Kind">Of what: <c>class</c>, <c>user</c> or <c>esp</c>.</param>
/// <param name="Name">The class, the user, or the ESP tunnel.</param>
/// <param name="Session">The user's session; null for others.</param>
/// <param name="Port">Which way: <c>outside</c> (to users and IPsec peers) or <c>inside</c> (to the local network, by where packets came from).</param>
/// <param name="Lcore">The lcore.</param>
/// <param name="WaitingPackets">Packets that wait now.</param>
/// <param name="WaitingBytes">Their bytes.</param>
/// <param name="SentPackets">Packets that went on.</param>
/// <param name="SentBytes">Their bytes.</param>
/// <param name="MarkedPackets">Packets that went on with a mark of congestion (ECN).</param>
/// <param name="Drops">Packets dropped, by reason.</param>
/// <param name="MeanDelayMilliseconds">How long packets waited that went on, since the begin.</param>
/// <param name="LargestDelayMilliseconds">The longest of the last second or two in which packets went on.</param>
public sealed record QueueReport(
    string Kind, string Name, ulong? Session, string Port, int Lcore, long WaitingPackets, long WaitingBytes, long SentPackets, long SentBytes,
    long MarkedPackets, IReadOnlyDictionary<string, ulong> Drops, double MeanDelayMilliseconds, double LargestDelayMilliseconds)
{
    /// <summary>How long all packets together waited that went on, since the begin.</summary>
    public double DelaySeconds { get; init; }
}
