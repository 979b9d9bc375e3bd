namespace CryptoPlane.Ipfix.Export;

/// <summary>What a sink has done since it was made. Counters only grow.</summary>
public readonly record struct FlowSinkStatistics
{
    /// <summary>Flow records that were written: given to the network, or in a file.</summary>
    public long Records { get; init; }

    /// <summary>IPFIX messages; 0 for JSON lines.</summary>
    public long Messages { get; init; }

    /// <summary>Bytes of messages or lines, without the headers of UDP or TCP.</summary>
    public long Octets { get; init; }

    /// <summary>Flow records that were dropped: the sink was slow, full, or without a connection.</summary>
    public long Dropped { get; init; }

    /// <summary>Packets that the dropped records told of, both ways.</summary>
    public long DroppedPackets { get; init; }

    /// <summary>Bytes that the dropped records told of, both ways.</summary>
    public long DroppedOctets { get; init; }

    /// <summary>When the first record was dropped: nanoseconds since 1970 (UTC); 0 for never.</summary>
    public long FirstDrop { get; init; }

    /// <summary>When the last record was dropped: nanoseconds since 1970 (UTC); 0 for never.</summary>
    public long LastDrop { get; init; }

    /// <summary>Failed writes, sends and attempts to connect.</summary>
    public long Errors { get; init; }

    /// <summary>Connections that were made after the first one.</summary>
    public long Reconnects { get; init; }

    /// <summary>Files that were completed.</summary>
    public long Files { get; init; }

    /// <summary>Flow records that were taken and wait to be written.</summary>
    public long Waiting { get; init; }
}
