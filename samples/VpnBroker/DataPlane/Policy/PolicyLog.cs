using System.Runtime.InteropServices;
using CryptoPlane.Lcores;
using CryptoPlane.Policy;
using VpnBroker.DataPlane.Inner;

namespace VpnBroker.DataPlane.Policy;

/// <summary>A decision that an operator wants to hear of: blittable.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PolicyLogEntry
{
    /// <summary>The flow.</summary>
    public PolicyQuery Query;

    /// <summary>What was said of it.</summary>
    public PolicyVerdict Verdict;
}

/// <summary>
/// Decisions of rules with <c>log: true</c> on their way from one lcore to the audit log. The rate is bounded: what is beyond it is counted, and
/// nothing waits.
/// </summary>
internal sealed class PolicyLog : IDisposable
{
    private const int PerSecond = 50;
    private const int Burst = 200;

    private readonly SpscRing<PolicyLogEntry> _ring = new(512);
    private TokenBucket _rate = new(PerSecond, Burst, 0);
    private ulong _suppressed;

    /// <summary>Decisions that were left out, since the start. Any thread.</summary>
    public ulong Suppressed => Volatile.Read(ref _suppressed);

    /// <summary>Notes a decision. The lcore.</summary>
    /// <param name="query">The flow.</param>
    /// <param name="verdict">What was said of it.</param>
    /// <param name="now">The clock, in nanoseconds.</param>
    public void Note(in PolicyQuery query, PolicyVerdict verdict, long now)
    {
        if (!_rate.TryTake(now) || !_ring.TryEnqueue(new PolicyLogEntry { Query = query, Verdict = verdict }))
            Volatile.Write(ref _suppressed, _suppressed + 1);
    }

    /// <summary>Takes the oldest decision. Supervisor's thread.</summary>
    public bool TryTake(out PolicyLogEntry entry) => _ring.TryDequeue(out entry);

    /// <inheritdoc/>
    public void Dispose() => _ring.Dispose();
}
