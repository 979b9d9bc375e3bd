namespace VpnBroker.DataPlane.Routing;

/// <summary>What a peer carries.</summary>
/// <param name="BytesPerSecond">What was sent to it, in bytes per second.</param>
/// <param name="IsCongested">Whether its queue or its police has dropped packets since the last time, where traffic is managed.</param>
internal readonly record struct PeerLoad(double BytesPerSecond, bool IsCongested);

/// <summary>
/// Decides by measured load how much of its weight each of several peers gets of new flows: who carries more than the weights say gets fewer, the
/// others more. Any thread, one at a time; the clock is the caller's.
/// </summary>
/// <remarks>
/// <para>A proportional controller: a peer's factor follows the smoothed ratio of its load to its part of all load, and goes there slowly. It
/// keeps no sum of errors, so that it does not swing when loads answer late, as they do with flows that last for minutes; the price is that
/// part of a difference stays. With loads as the weights say all factors are 1.</para>
/// <para>A peer whose limits drop packets carries less than it was sent: it counts as one with twice its part, for as much of the time as it
/// drops.</para>
/// </remarks>
internal sealed class PeerBalance
{
    /// <summary>The bounds of a factor.</summary>
    public const double Least = 0.25, Most = 4;

    /// <summary>Ratios that are as good as even, either way, as a logarithm: 10 %.</summary>
    private const double Tolerance = 0.1;

    /// <summary>How strongly factors answer to ratios: the power of the ratio.</summary>
    private const double Gain = 1.5;

    /// <summary>Time constants of what is measured and of factors, in seconds.</summary>
    private const double MeasuringTime = 3, MovingTime = 10;

    /// <summary>The load of a congested peer, in parts that its weight gives it.</summary>
    private const double Congested = 2;

    /// <summary>Bytes per second of all peers, below which chance decides who has more: a megabit.</summary>
    private const double LeastLoad = 125_000;

    /// <summary>The least ratio whose logarithm is looked at: what is below it is out of bounds in any case.</summary>
    private const double LeastRatio = 0.01;

    private readonly Peer[] _peers;

    /// <summary>Begins with factors of 1.</summary>
    public PeerBalance(int peers)
    {
        _peers = new Peer[peers];
        foreach (ref Peer peer in _peers.AsSpan())
            peer.Factor = 1;
    }

    /// <summary>What a peer's weight is multiplied with.</summary>
    public double FactorOf(int peer) => _peers[peer].Factor;

    /// <summary>Takes over what is known of a peer that was among others.</summary>
    public void Take(int peer, PeerBalance before, int formerly) => _peers[peer] = before._peers[formerly];

    /// <summary>Takes a measurement.</summary>
    /// <param name="seconds">The time since the last one.</param>
    /// <param name="weights">The peers' weights, above 0.</param>
    /// <param name="loads">What each of them has carried in that time.</param>
    public void Measure(double seconds, ReadOnlySpan<double> weights, ReadOnlySpan<PeerLoad> loads)
    {
        double all = 0, weight = 0;
        for (int i = 0; i < _peers.Length; i++)
        {
            ref Peer peer = ref _peers[i];
            double part = peer.IsKnown ? 1 - Math.Exp(-seconds / MeasuringTime) : 1;
            peer.IsKnown = true;
            peer.Load += (loads[i].BytesPerSecond - peer.Load) * part;
            peer.Congestion += ((loads[i].IsCongested ? 1 : 0) - peer.Congestion) * part;
            all += peer.Load;
            weight += weights[i];
        }
        double way = 1 - Math.Exp(-seconds / MovingTime);
        for (int i = 0; i < _peers.Length; i++)
        {
            ref Peer peer = ref _peers[i];
            double ratio = all < LeastLoad ? 1 : peer.Load * weight / (all * weights[i]);
            ratio += (Math.Max(ratio, Congested) - ratio) * peer.Congestion;
            double error = Math.Log(Math.Max(ratio, LeastRatio));
            error = Math.CopySign(Math.Max(0, Math.Abs(error) - Tolerance), error);
            double goal = Math.Clamp(Math.Exp(-Gain * error), Least, Most);
            peer.Factor = Math.Clamp(peer.Factor * Math.Pow(goal / peer.Factor, way), Least, Most);
        }
    }

    private struct Peer
    {
        public double Load;
        public double Congestion;
        public double Factor;
        public bool IsKnown;
    }
}
