using CryptoPlane.Flows.Sessions;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Tests.Export;

/// <summary>A data plane of two rings, which the test fills in the place of lcores, and some labels.</summary>
internal sealed class RingDataPlane : IDataPlane
{
    public FlowRecordRing[] Rings { get; } = [new(0, 1024), new(1, 1024)];

    public FlowLabels Labels { get; set; } = new(new Dictionary<ulong, string> { [1] = "dc1" }, new Dictionary<uint, string> { [5] = "dns" });

    /// <summary>Records that the lcores make while they stop.</summary>
    public IReadOnlyList<FlowRecord> Last { get; set; } = [];

    public int LcoreCount => 2;

    public Action<TunnelEnded>? TunnelEnded { get; set; }

    public IReadOnlyList<CapturePoint> CapturePoints => [];

    public IReadOnlyList<FlowRecordRing> FlowRecords => Rings;

    public Task<FlowLabels> GetFlowLabelsAsync() => Task.FromResult(Labels);

    public Task AttachUserAsync(UserTunnelRequest request) => Task.CompletedTask;

    public Task<bool> DetachUserAsync(ulong tunnelId, TunnelEndReason reason) => Task.FromResult(false);

    public Task<DataPlaneStatus> GetStatusAsync(bool includeTunnels) => Task.FromResult(new DataPlaneStatus { Lcores = [] });

    public Task<IDataPlaneCapture> StartCaptureAsync(CapturePlan plan) => throw new InvalidOperationException("There is nothing to capture.");

    public void ReadSequencePositions(Span<ulong> positions) => positions.Clear();

    public Task RaiseSequenceLimitAsync(int outboundSa, ulong limit) => Task.CompletedTask;

    public Task ApplyAsync(BrokerConfig config) => Task.CompletedTask;

    public Task StopAsync(TimeSpan deadline)
    {
        foreach (FlowRecord record in Last)
            Rings[0].TryEnqueue(record, 0);
        return Task.CompletedTask;
    }
}
