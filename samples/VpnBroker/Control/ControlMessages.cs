using VpnBroker.Capture;
using VpnBroker.Status;

namespace VpnBroker.Control;

/// <summary>A request on the control socket: one line of JSON.</summary>
/// <param name="Command">
/// <c>status</c>, <c>flows</c>, <c>disconnect</c>, <c>reload</c>, <c>capture</c>, <c>ipsec-up</c>, <c>ipsec-down</c> or <c>ipsec-rekey</c>.
/// </param>
/// <param name="User">Whose sessions to end, with <c>disconnect</c>.</param>
/// <param name="Users">Whether sessions are listed, with <c>status</c>.</param>
/// <param name="Capture">What to capture, with <c>capture</c>.</param>
/// <param name="Peer">Which IPsec peer.</param>
/// <param name="IkeSa">Whether the IKE SA is meant rather than the ESP SAs, with <c>ipsec-rekey</c>.</param>
/// <param name="Flows">Which sessions inside of tunnels, with <c>flows</c>.</param>
public sealed record ControlRequest(
    string Command, string? User = null, bool Users = true, CaptureRequest? Capture = null, string? Peer = null, bool IkeSa = false, FlowsRequest? Flows = null);

/// <summary>What can be done with an IPsec peer.</summary>
public enum IpsecCommand
{
    /// <summary>Bring its tunnels up.</summary>
    Up,

    /// <summary>Take them down.</summary>
    Down,

    /// <summary>New keys for its ESP SAs.</summary>
    RekeyChildren,

    /// <summary>New keys for its IKE SA.</summary>
    RekeyIke,
}

/// <summary>The answer: one line of JSON, then the connection closes; or the capture follows, in frames.</summary>
/// <param name="Error">What went wrong and what to do; null when nothing did.</param>
/// <param name="Message">What was done.</param>
/// <param name="Status">The report, with <c>status</c>.</param>
/// <param name="Flows">The sessions, with <c>flows</c>.</param>
public sealed record ControlResponse(string? Error, string? Message = null, StatusReport? Status = null, FlowsReport? Flows = null);

/// <summary>What can be asked of a running broker.</summary>
public interface IBrokerControl
{
    /// <summary>Reads counters and sessions.</summary>
    Task<StatusReport> GetStatusAsync(bool users);

    /// <summary>Reads the sessions inside of tunnels.</summary>
    /// <exception cref="FormatException">The request cannot be read; the message says how to write it.</exception>
    /// <exception cref="InvalidOperationException">The data plane is stopping.</exception>
    Task<FlowsReport> GetFlowsAsync(FlowsRequest request);

    /// <summary>Ends all sessions of a user.</summary>
    /// <returns>How many there were.</returns>
    int Disconnect(string user);

    /// <summary>Reads the configuration again.</summary>
    /// <returns>Null when it is in use now; else what is wrong, and the configuration of before stays.</returns>
    Task<string?> ReloadAsync();

    /// <summary>Does something with an IPsec peer.</summary>
    /// <returns>Null when it is begun; else what is wrong.</returns>
    Task<string?> CommandIpsecAsync(IpsecCommand command, string peer);

    /// <summary>Begins a packet capture.</summary>
    /// <exception cref="CaptureRefusedException">It is not made; the message says why.</exception>
    Task<StartedCapture> StartCaptureAsync(CaptureRequest request, ControlPeer peer);
}
