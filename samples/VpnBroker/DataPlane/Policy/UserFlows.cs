using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Policy;

namespace VpnBroker.DataPlane.Policy;

/// <summary>Whether a user may open a flow.</summary>
internal enum FlowAdmission
{
    /// <summary>It counts from now on.</summary>
    Granted,

    /// <summary>The user has as many flows as one may have.</summary>
    TooMany,

    /// <summary>The user opens flows faster than one may.</summary>
    TooFast,
}

/// <summary>
/// How many flows each user has on one lcore, and how fast new ones come: native memory, the lcore's own. The supervisor makes room for a user
/// before the lcore hears of the number.
/// </summary>
/// <remarks>A user's sessions on several lcores have the limits on each of them.</remarks>
internal sealed unsafe class UserFlows : IDisposable
{
    private const int BlockSize = 1024;
    private const int Blocks = (int)(PolicySnapshot.MaximumSubjects / BlockSize);
    private const long Second = 1_000_000_000;

    private Entry** _blocks = (Entry**)NativeMemory.AllocZeroed(Blocks, (nuint)sizeof(Entry*));
    private int _flows;
    private long _interval;

    /// <summary>Sets the limits; flows that there are stay. The lcore, or before it starts.</summary>
    /// <param name="flows">Flows of a user at a time; 0 for no limit.</param>
    /// <param name="perSecond">New flows of a user per second, with bursts of a second's worth; 0 for no limit.</param>
    public void SetLimits(int flows, int perSecond)
    {
        _flows = flows;
        _interval = perSecond == 0 ? 0 : Math.Max(1, Second / perSecond);
    }

    /// <summary>Makes room for a user. Supervisor's thread, before the message that tells the lcore of the number.</summary>
    public void Prepare(uint subject)
    {
        if (subject < PolicySnapshot.MaximumSubjects && _blocks[subject / BlockSize] == null)
            _blocks[subject / BlockSize] = (Entry*)NativeMemory.AllocZeroed(BlockSize, (nuint)sizeof(Entry));
    }

    /// <summary>A user's flow begins; flows of nobody are not limited.</summary>
    /// <param name="subject">The user's number.</param>
    /// <param name="now">The clock, in nanoseconds.</param>
    public FlowAdmission TryOpen(uint subject, long now)
    {
        Entry* entry = Find(subject);
        if (entry == null)
            return FlowAdmission.Granted;
        if (_flows != 0 && entry->Flows >= _flows)
            return FlowAdmission.TooMany;
        if (_interval != 0)
        {
            // The moment when the user has paid for all flows so far; it may lie a second's worth of flows ahead.
            long due = Math.Max(entry->Due, now);
            if (due - now > Second - _interval)
                return FlowAdmission.TooFast;
            entry->Due = due + _interval;
        }
        entry->Flows++;
        return FlowAdmission.Granted;
    }

    /// <summary>A flow that was granted has ended.</summary>
    public void Close(uint subject)
    {
        Entry* entry = Find(subject);
        if (entry != null && entry->Flows > 0)
            entry->Flows--;
    }

    /// <summary>Flows that a user has here.</summary>
    public int Count(uint subject)
    {
        Entry* entry = Find(subject);
        return entry == null ? 0 : entry->Flows;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_blocks == null)
            return;
        for (int block = 0; block < Blocks; block++)
            NativeMemory.Free(_blocks[block]);
        NativeMemory.Free(_blocks);
        _blocks = null;
    }

    // Sound: numbers are compared with the table's size, and blocks are zero or BlockSize entries long.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Entry* Find(uint subject)
    {
        if (subject is 0 or >= PolicySnapshot.MaximumSubjects)
            return null;
        Entry* block = _blocks[subject / BlockSize];
        return block == null ? null : block + (subject % BlockSize);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public long Due;
        public int Flows;
    }
}
