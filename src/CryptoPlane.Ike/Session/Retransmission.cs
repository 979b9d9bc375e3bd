namespace CryptoPlane.Ike.Session;

/// <summary>When a request is sent again, and when the peer counts as dead (RFC 7296 §2.1, §2.4): waits that grow by a factor.</summary>
internal static class Retransmission
{
    /// <summary>The longest wait, in milliseconds.</summary>
    private const long MaxWait = 60_000;

    /// <summary>How long the answer to a transmission is waited for.</summary>
    /// <param name="options">Delay and factor.</param>
    /// <param name="attempt">0: the first transmission.</param>
    /// <param name="random">
    /// A random number, by which up to a tenth is added: many requests that were lost together do not come together again.
    /// </param>
    public static long Wait(IkeEndpointOptions options, int attempt, uint random)
    {
        double wait = Math.Min(options.RetransmitDelay * Math.Pow(options.RetransmitFactor, attempt), MaxWait);
        return (long)(wait + (wait / 10 * random / uint.MaxValue));
    }
}
