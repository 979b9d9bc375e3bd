using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Export;

/// <summary>What a <see cref="FlowExporter"/> is made with.</summary>
public sealed record FlowExporterOptions
{
    /// <summary>The lcores' rings, of which the exporter is the only consumer; they outlive it.</summary>
    public required IReadOnlyList<FlowRecordRing> Rings { get; init; }

    /// <summary>What numbers stand for.</summary>
    public IFlowNames Names { get; init; } = new NoFlowNames();

    /// <summary>The time.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>
    /// How long the thread sleeps when the rings are empty, in milliseconds. A ring must hold what its lcore says in that time.
    /// </summary>
    public int PauseMilliseconds { get; init; } = 5;
}
