using System.Diagnostics;

namespace CryptoPlane.TestKit;

/// <summary>Waits for a condition by looking at it again and again until a deadline, so that no test waits by the clock.</summary>
public static class Eventually
{
    /// <summary>How long is waited where nothing else is said: generous, since it passes only where the test fails.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">Looked at about once a millisecond.</param>
    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="timeout">How long; null for <see cref="DefaultTimeout"/>.</param>
    /// <exception cref="TimeoutException">The condition did not hold in time.</exception>
    public static void True(Func<bool> condition, string what, TimeSpan? timeout = null)
    {
        TimeSpan limit = timeout ?? DefaultTimeout;
        if (!Becomes(condition, limit))
            throw new TimeoutException($"Waited {limit.TotalSeconds} s in vain for: {what}");
    }

    /// <summary>Waits until a value is there.</summary>
    /// <returns>The first value that is not null.</returns>
    /// <exception cref="TimeoutException">No value appeared in time.</exception>
    public static T NotNull<T>(Func<T?> value, string what, TimeSpan? timeout = null) where T : class
    {
        T? found = null;
        True(() => (found = value()) != null, what, timeout);
        return found!;
    }

    /// <summary>Waits until a condition holds.</summary>
    /// <returns>False when it did not hold in time.</returns>
    public static bool Becomes(Func<bool> condition, TimeSpan timeout)
    {
        long start = Stopwatch.GetTimestamp();
        var wait = new SpinWait();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > timeout)
                return condition();
            wait.SpinOnce();
        }
        return true;
    }
}
