namespace VpnBroker.Ipsec;

/// <summary>How long a peer may leave a request unanswered before it counts as dead: the waits between tries grow.</summary>
internal static class PeerPatience
{
    /// <summary>The wait for the answer to the first try, in milliseconds.</summary>
    public const long FirstWait = 1_000;

    /// <summary>By how much each wait is longer than the one before it, up to <see cref="LongestWait"/>.</summary>
    public const double Factor = 1.8;

    /// <summary>The longest wait, which is the endpoint's (RFC 7296 §2.1 leaves it to each side), in milliseconds.</summary>
    private const double LongestWait = 60_000;

    /// <summary>How often a request is sent again, so that the peer has so many seconds at least.</summary>
    public static int TriesFor(int seconds)
    {
        int tries = 0;
        double wait = FirstWait, whole = wait;
        while (whole < seconds * 1000.0)
        {
            wait = Math.Min(wait * Factor, LongestWait);
            whole += wait;
            tries++;
        }
        return tries;
    }
}
