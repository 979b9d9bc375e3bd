using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using VpnBroker.Audit;
using VpnBroker.Configuration;
using VpnBroker.Control;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Sessions;

namespace VpnBroker.Capture;

/// <summary>
/// Makes captures, one at a time: checks what is asked for, notes in the audit log who asked, and says in the log while users' traffic is
/// shown.
/// </summary>
internal sealed partial class CaptureService(
    Func<BrokerConfig> config, IDataPlane dataPlane, SessionTable? sessions, AuditLog audit, TimeProvider clock, ILogger logger)
{
    /// <summary>How often the log says that users' traffic is being shown.</summary>
    private static readonly TimeSpan s_reminder = TimeSpan.FromMinutes(1);

    private string? _running;

    /// <summary>Begins a capture.</summary>
    /// <returns>What is captured, in words, and what then sends it to the client until its end, on the calling thread.</returns>
    /// <exception cref="CaptureRefusedException">It is not made; the message says why.</exception>
    public async Task<StartedCapture> StartAsync(CaptureRequest request, ControlPeer peer)
    {
        CheckedCapture plan;
        try
        {
            plan = CapturePlanner.Check(request, dataPlane.CapturePoints, config().CaptureDecrypted, AddressesOf);
        }
        catch (CaptureRefusedException e)
        {
            LogRefused(logger, peer.UserId, peer.ProcessId, e.Message);
            Audit(peer, request, request.Inner, false, e.Message, null);
            throw;
        }
        if (Interlocked.CompareExchange(ref _running, $"user id {peer.UserId}, process {peer.ProcessId}", null) is { } other)
            throw new CaptureRefusedException($"a capture is running ({other}): only one can at a time");
        IDataPlaneCapture? capture = null;
        try
        {
            // Who sees users' traffic must be known afterwards: without the record there is no capture.
            if (!Audit(peer, request, plan.ShowsUsersTraffic, true, null, null) && plan.ShowsUsersTraffic)
                throw new CaptureRefusedException("the audit log cannot be written to, and without a record users' traffic is not shown: free some space or correct log.auditFile");
            capture = await dataPlane.StartCaptureAsync(plan.Plan);
        }
        catch (Exception e) when (e is InvalidOperationException or OutOfMemoryException)
        {
            throw new CaptureRefusedException(e.Message);
        }
        finally
        {
            if (capture is null)
                Volatile.Write(ref _running, null);
        }
        string points = string.Join(", ", plan.Points.Select(point => point.Name));
        if (plan.ShowsUsersTraffic)
            LogDecrypted(logger, points, peer.UserId, peer.ProcessId, request.Filter ?? "everything");
        else
            LogStarted(logger, points, peer.UserId, peer.ProcessId, request.Filter ?? "everything");
        return new StartedCapture(points, [.. plan.LeftOut.Select(point => point.Name)], plan.ShowsUsersTraffic,
            (client, stop) => Run(capture, plan, request, points, peer, client, stop));
    }

    private void Run(
        IDataPlaneCapture capture, CheckedCapture plan, CaptureRequest request, string points, ControlPeer peer, Socket client, CancellationToken stop)
    {
        var end = new CaptureProgress(0, 0, 0, "the broker failed");
        long reminded = clock.GetTimestamp();
        string? Watch()
        {
            if (!plan.ShowsUsersTraffic)
                return null;
            if (!config().CaptureDecrypted)
                return "the configuration does not allow it any more";
            if (clock.GetElapsedTime(reminded) >= s_reminder)
            {
                reminded = clock.GetTimestamp();
                LogDecrypted(logger, points, peer.UserId, peer.ProcessId, request.Filter ?? "everything");
            }
            return null;
        }
        CaptureFrameWriter? output = null;
        try
        {
            output = new CaptureFrameWriter(client, CaptureFrameLimits.Of(request.Seconds), stop);
            var comments = new CaptureComments([.. (config().Esp?.Tunnels ?? []).Select(tunnel => tunnel.Name)], ListSessions);
            end = new CaptureWriter(capture, plan, request, comments, output, clock.GetUtcNow()).Run(Watch, stop);
        }
        finally
        {
            capture.DisposeAsync().AsTask().GetAwaiter().GetResult();
            Volatile.Write(ref _running, null);
            LogEnded(logger, points, end.Reason!, end.Captured, end.Missed);
            Audit(peer, request, plan.ShowsUsersTraffic, true, end.Reason, end);
        }
        // The client is told last: who then asks for the next capture gets it.
        using (output)
            output.TryReport(end);
    }

    private IReadOnlyList<IPAddress> AddressesOf(string user) =>
    [
        .. (sessions?.List() ?? []).Where(session => session.User == user)
            .SelectMany(session => new[] { session.Lease?.IPv4, session.Lease?.IPv6 }).OfType<IPAddress>(),
    ];

    private Dictionary<ulong, string> ListSessions() => (sessions?.List() ?? []).ToDictionary(session => session.Id, session => PrintableName.Of(session.User));

    private bool Audit(ControlPeer peer, CaptureRequest request, bool decrypted, bool success, string? reason, CaptureProgress? end)
    {
        bool written = audit.Write(new CaptureAudit(peer.UserId, peer.ProcessId, DescribePoints(request), request.Filter, decrypted, success, reason)
        {
            Captured = end?.Captured,
        });
        if (!written)
            LogAuditFailed(logger);
        return written;
    }

    private static string DescribePoints(CaptureRequest request) =>
        string.Join(' ', [.. request.Ports ?? [], .. request.Inner ? ["--inner"] : Array.Empty<string>(), .. request.All ? ["--all"] : Array.Empty<string>()]);

    [LoggerMessage(1, LogLevel.Warning, "DECRYPTED CAPTURE is running: {Points}, filter: {Filter}. User id {User} (process {Process}) sees users' traffic in clear")]
    private static partial void LogDecrypted(ILogger logger, string points, uint user, int process, string filter);

    [LoggerMessage(2, LogLevel.Information, "Capture of {Points} for user id {User} (process {Process}), filter: {Filter}")]
    private static partial void LogStarted(ILogger logger, string points, uint user, int process, string filter);

    [LoggerMessage(3, LogLevel.Information, "The capture of {Points} has ended, {Reason}: {Captured} packets, {Missed} missed")]
    private static partial void LogEnded(ILogger logger, string points, string reason, long captured, long missed);

    [LoggerMessage(4, LogLevel.Warning, "A capture for user id {User} (process {Process}) was refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, uint user, int process, string reason);

    [LoggerMessage(5, LogLevel.Error, "The audit log cannot be written to: a capture is not in it; free some space or correct log.auditFile")]
    private static partial void LogAuditFailed(ILogger logger);
}

/// <summary>A capture whose lcores have begun.</summary>
/// <param name="Points">What is captured.</param>
/// <param name="LeftOut">What <c>--all</c> did not take.</param>
/// <param name="ShowsUsersTraffic">Whether users' traffic is seen in clear.</param>
/// <param name="Run">Sends it to the client; it returns when it has ended, on the lcores as well. To be called once, whatever happens.</param>
public sealed record StartedCapture(string Points, IReadOnlyList<string> LeftOut, bool ShowsUsersTraffic, Action<Socket, CancellationToken> Run);
