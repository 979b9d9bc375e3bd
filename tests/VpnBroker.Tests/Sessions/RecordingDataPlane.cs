using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Tests.Sessions;

/// <summary>A data plane that keeps what it is told, and replaces a tunnel whose address comes again, as the contract says.</summary>
internal sealed class RecordingDataPlane : IDataPlane
{
    private readonly Dictionary<ulong, UserTunnelRequest> _tunnels = [];

    public List<UserTunnelRequest> Attached { get; } = [];

    public List<(ulong TunnelId, TunnelEndReason Reason)> Detached { get; } = [];

    /// <summary>Set to let the next attach fail.</summary>
    public bool Refuse { get; set; }

    public int LcoreCount => 1;

    public Action<TunnelEnded>? TunnelEnded { get; set; }

    public Task AttachUserAsync(UserTunnelRequest request)
    {
        if (Refuse)
            return Task.FromException(new InvalidOperationException("no room"));
        Attached.Add(request);
        if (_tunnels.Values.FirstOrDefault(tunnel => Equals(tunnel.InnerIPv4, request.InnerIPv4)) is { } old)
            End(old.TunnelId, TunnelEndReason.Replaced);
        _tunnels.Add(request.TunnelId, request);
        return Task.CompletedTask;
    }

    public Task<bool> DetachUserAsync(ulong tunnelId, TunnelEndReason reason)
    {
        Detached.Add((tunnelId, reason));
        return Task.FromResult(End(tunnelId, reason));
    }

    /// <summary>A tunnel ends by itself.</summary>
    public bool End(ulong tunnelId, TunnelEndReason reason)
    {
        if (!_tunnels.Remove(tunnelId, out UserTunnelRequest? request))
            return false;
        TunnelEnded?.Invoke(new TunnelEnded(tunnelId, request.SessionId, reason, 1, 2));
        return true;
    }

    public IReadOnlyList<CapturePoint> CapturePoints => [];

    public Task<IDataPlaneCapture> StartCaptureAsync(CapturePlan plan) => throw new NotSupportedException();

    public Task<DataPlaneStatus> GetStatusAsync(bool includeTunnels) => Task.FromResult(new DataPlaneStatus { Lcores = [] });

    public void ReadSequencePositions(Span<ulong> positions) => positions.Clear();

    public Task RaiseSequenceLimitAsync(int outboundSa, ulong limit) => Task.CompletedTask;

    public Task ApplyAsync(BrokerConfig config) => Task.CompletedTask;

    public Task StopAsync(TimeSpan deadline) => Task.CompletedTask;
}
