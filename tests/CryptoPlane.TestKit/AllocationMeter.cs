using System.Runtime.ExceptionServices;

namespace CryptoPlane.TestKit;

/// <summary>What a piece of code cost besides time.</summary>
/// <param name="AllocatedBytes">Managed bytes that the calling thread allocated.</param>
/// <param name="LockContentions">Contended locks in the whole process.</param>
/// <param name="Exceptions">Exceptions that the calling thread raised, caught or not.</param>
public readonly record struct AllocationReading(long AllocatedBytes, long LockContentions, int Exceptions);

/// <summary>
/// Measures managed allocations, lock contentions and exceptions around a delegate. Lock contentions are those of the whole process:
/// a test that asserts them belongs into a collection with DisableParallelization.
/// </summary>
public static class AllocationMeter
{
    private const int Attempts = 3;

    /// <summary>
    /// Measures a delegate again, up to three times, until it allocates nothing. For what runs so long that the JIT replaces its code on the
    /// way: compiled on this thread, string literals of the new code (of a throw that never comes, say) become objects, and now and then the
    /// runtime's table of them grows. Code that allocates itself does so every time.
    /// </summary>
    public static AllocationReading MeasureUntilSteady(Action action)
    {
        AllocationReading reading = Measure(action);
        for (int attempt = 1; attempt < Attempts && reading.AllocatedBytes != 0; attempt++)
            reading = Measure(action);
        return reading;
    }

    /// <summary>Runs a delegate on this thread and measures it. Run it once before, so that the JIT and static state are warm.</summary>
    public static AllocationReading Measure(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        int exceptions = 0;
        int thread = Environment.CurrentManagedThreadId;
        void Count(object? sender, FirstChanceExceptionEventArgs arguments)
        {
            if (Environment.CurrentManagedThreadId == thread)
                exceptions++;
        }

        AppDomain.CurrentDomain.FirstChanceException += Count;
        try
        {
            long contentions = Monitor.LockContentionCount;
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            action();
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            contentions = Monitor.LockContentionCount - contentions;
            return new AllocationReading(allocated, contentions, exceptions);
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Count;
        }
    }
}
