namespace CryptoPlane.Ipfix.Export;

/// <summary>A sink's counters. One thread writes; others may read a value that is a moment old.</summary>
internal sealed class SinkCounters
{
    private long _taken, _records, _messages, _octets, _dropped, _droppedPackets, _droppedOctets, _firstDrop, _lastDrop, _errors, _reconnects;

    /// <summary>What is told of it.</summary>
    public FlowSinkStatistics Snapshot
    {
        get
        {
            long records = Volatile.Read(ref _records), dropped = Volatile.Read(ref _dropped);
            return new FlowSinkStatistics
            {
                Records = records,
                Messages = Volatile.Read(ref _messages),
                Octets = Volatile.Read(ref _octets),
                Dropped = dropped,
                DroppedPackets = Volatile.Read(ref _droppedPackets),
                DroppedOctets = Volatile.Read(ref _droppedOctets),
                FirstDrop = Volatile.Read(ref _firstDrop),
                LastDrop = Volatile.Read(ref _lastDrop),
                Errors = Volatile.Read(ref _errors),
                Reconnects = Volatile.Read(ref _reconnects),
                Waiting = Math.Max(0, Volatile.Read(ref _taken) - records - dropped),
            };
        }
    }

    /// <summary>Counts a record that the sink was given.</summary>
    public void Take() => Volatile.Write(ref _taken, _taken + 1);

    /// <summary>Counts what was written.</summary>
    public void Write(in FlowTotals flows, int messages, int octets)
    {
        Volatile.Write(ref _records, _records + flows.Records);
        Volatile.Write(ref _messages, _messages + messages);
        Volatile.Write(ref _octets, _octets + octets);
    }

    /// <summary>Counts what was dropped.</summary>
    /// <param name="flows">What.</param>
    /// <param name="unix">When.</param>
    public void Drop(in FlowTotals flows, long unix)
    {
        if (flows.Records == 0)
            return;
        if (_firstDrop == 0)
            Volatile.Write(ref _firstDrop, unix);
        Volatile.Write(ref _lastDrop, unix);
        Volatile.Write(ref _dropped, _dropped + flows.Records);
        Volatile.Write(ref _droppedPackets, _droppedPackets + flows.Packets);
        Volatile.Write(ref _droppedOctets, _droppedOctets + flows.Octets);
    }

    /// <summary>Counts a failure.</summary>
    public void Fail() => Volatile.Write(ref _errors, _errors + 1);

    /// <summary>Counts a connection after the first.</summary>
    public void Reconnect() => Volatile.Write(ref _reconnects, _reconnects + 1);
}
