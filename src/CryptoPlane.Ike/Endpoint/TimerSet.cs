using CryptoPlane.Ike.Session;

namespace CryptoPlane.Ike;

/// <summary>When each IKE SA wants to be called: one entry for each, the earliest first.</summary>
internal sealed class TimerSet
{
    private static readonly Comparer<IkeSa> s_order = Comparer<IkeSa>.Create(
        (left, right) => left.ScheduledAt != right.ScheduledAt ? left.ScheduledAt.CompareTo(right.ScheduledAt) : left.LocalSpi.CompareTo(right.LocalSpi));

    private readonly SortedSet<IkeSa> _entries = new(s_order);

    /// <summary>The earliest time; <see cref="long.MaxValue"/>: none.</summary>
    public long Next => _entries.Min?.ScheduledAt ?? long.MaxValue;

    /// <summary>Puts an IKE SA where its next timeout is now.</summary>
    public void Update(IkeSa sa)
    {
        long next = sa.NextTimeout;
        if (next == sa.ScheduledAt)
            return;
        Remove(sa);
        sa.ScheduledAt = next;
        if (next != long.MaxValue)
            _entries.Add(sa);
    }

    /// <summary>Takes an IKE SA out.</summary>
    public void Remove(IkeSa sa)
    {
        _entries.Remove(sa);
        sa.ScheduledAt = long.MaxValue;
    }

    /// <summary>Takes the next IKE SA whose time has come out.</summary>
    public IkeSa? TakeDue(long now)
    {
        if (_entries.Min is not { } first || first.ScheduledAt > now)
            return null;
        Remove(first);
        return first;
    }
}
