using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace CryptoPlane.Lcores;

/// <summary>The lcores' clock: nanoseconds that never go back, the same for all threads of the process, with no relation to the date.</summary>
public static class MonotonicClock
{
    /// <summary>Now, in nanoseconds.</summary>
    public static long Nanoseconds
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            long ticks = Stopwatch.GetTimestamp();
            // On Linux a tick is a nanosecond, and the JIT folds this test away once the frequency is known.
            return Stopwatch.Frequency == 1_000_000_000 ? ticks : (long)(ticks * (1e9 / Stopwatch.Frequency));
        }
    }
}
