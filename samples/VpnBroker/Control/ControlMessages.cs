using VpnBroker.Capture;
using VpnBroker.Status;

namespace VpnBroker.Control;

/// <summary>A request on the control socket: one line of JSON.</summary>
/// <param name="Command"><c>status</c>, <c>disconnect</c>, <c>reload</c> or <c>capture</c>.</param>
/// <param name="User">Whose sessions to end, with <c>disconnect</c>.</param>
/// <param name="Users">Whether sessions are listed, with <c>status</c>.</param>
/// <param name="Capture">What to capture, with <c>capture</c>.</param>
public sealed record ControlRequest(string Command, string? User = null, bool Users = true, CaptureRequest? Capture = null);

/// <summary>The answer: one line of JSON, then the connection closes; or the capture follows, in frames.</summary>
/// <param name="Error">What went wrong and what to do; null when nothing did.</param>
/// <param name="Message">What was done.</param>
/// <param name="Status">The report, with <c>status</c>.</param>
public sealed record ControlResponse(string? Error, string? Message = null, StatusReport? Status = null);

/// <summary>What can be asked of a running broker.</summary>
public interface IBrokerControl
{
    /// <summary>Reads counters and sessions.</summary>
    Task<StatusReport> GetStatusAsync(bool users);

    /// <summary>Ends all sessions of a user.</summary>
    /// <returns>How many there were.</returns>
    int Disconnect(string user);

    /// <summary>Reads the configuration again.</summary>
    /// <returns>Null when it is in use now; else what is wrong, and the configuration of before stays.</returns>
    Task<string?> ReloadAsync();

    /// <summary>Begins a packet capture.</summary>
    /// <exception cref="CaptureRefusedException">It is not made; the message says why.</exception>
    Task<StartedCapture> StartCaptureAsync(CaptureRequest request, ControlPeer peer);
}
