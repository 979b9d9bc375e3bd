using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Policy;

/// <summary>What a rule has decided.</summary>
/// <param name="Flows">Flows that it matched, those that it was asked about again after a change included.</param>
/// <param name="Packets">Packets of those flows, both directions: passed by a rule that allows, dropped by one that does not.</param>
/// <param name="Octets">Their bytes, with their IP headers.</param>
public readonly record struct PolicyRuleCount(ulong Flows, ulong Packets, ulong Octets)
{
    /// <summary>Adds two lcores' counts.</summary>
    public static PolicyRuleCount operator +(PolicyRuleCount left, PolicyRuleCount right) =>
        new(left.Flows + right.Flows, left.Packets + right.Packets, left.Octets + right.Octets);
}

/// <summary>
/// One lcore's counters of rules, by their numbers, in native memory: the lcore alone writes, any thread reads. They outlive snapshots: a rule
/// that keeps its number keeps its counts.
/// </summary>
/// <remarks>The memory of numbers that are never used is never touched, and so costs nothing.</remarks>
public sealed unsafe class PolicyCounters : IDisposable
{
    /// <summary>Numbers of rules are below this; 0 counts for no rule.</summary>
    public const int Capacity = 65_536;

    private Entry* _entries = (Entry*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(Entry));

    /// <summary>Counts a flow that a rule has decided about. The owning thread only.</summary>
    // Sound: PolicySnapshot.Compile refuses numbers from Capacity on, and verdicts have no others.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CountFlow(uint rule)
    {
        System.Diagnostics.Debug.Assert(rule < Capacity, "no such rule");
        Volatile.Write(ref _entries[rule].Flows, _entries[rule].Flows + 1);
    }

    /// <summary>Counts a packet of a flow. The owning thread only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CountPacket(uint rule, int octets)
    {
        System.Diagnostics.Debug.Assert(rule < Capacity, "no such rule");
        Entry* entry = _entries + rule;
        Volatile.Write(ref entry->Packets, entry->Packets + 1);
        Volatile.Write(ref entry->Octets, entry->Octets + (uint)octets);
    }

    /// <summary>A rule's counts. Any thread; each is read whole, if not all at one instant.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such number.</exception>
    public PolicyRuleCount Read(uint rule)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rule, (uint)Capacity);
        Entry* entry = _entries + rule;
        return new PolicyRuleCount(Volatile.Read(ref entry->Flows), Volatile.Read(ref entry->Packets), Volatile.Read(ref entry->Octets));
    }

    /// <summary>Frees the counters.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_entries);
        _entries = null;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Flows;
        public ulong Packets;
        public ulong Octets;
        private readonly ulong _reserved;
    }
}
