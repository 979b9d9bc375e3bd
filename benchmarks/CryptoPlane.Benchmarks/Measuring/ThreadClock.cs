using System.ComponentModel;
using System.Runtime.InteropServices;

namespace CryptoPlane.Benchmarks.Measuring;

/// <summary>The CPU time of the calling thread: what other processes of a shared machine take is not in it.</summary>
internal static unsafe partial class ThreadClock
{
    private const int ThreadCpuTime = 3;

    /// <summary>Nanoseconds that the calling thread has run.</summary>
    public static long Nanoseconds
    {
        get
        {
            TimeSpec time;
            if (ClockGetTime(ThreadCpuTime, &time) != 0)
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            return (time.Seconds * 1_000_000_000L) + time.Nanoseconds;
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int ClockGetTime(int clock, TimeSpec* time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
