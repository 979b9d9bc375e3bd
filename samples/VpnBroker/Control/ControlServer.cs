using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using VpnBroker.Capture;
using VpnBroker.Status;
using VpnBroker.Storage;

namespace VpnBroker.Control;

/// <summary>
/// Serves the control socket: a Unix socket of mode 0600, which asks the kernel who is at the other end and answers root and the
/// broker's own user only.
/// </summary>
public sealed partial class ControlServer : IAsyncDisposable
{
    private const int MaxRequestBytes = 4096;

    private static readonly TimeSpan s_requestTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pauseWithoutDescriptors = TimeSpan.FromMilliseconds(100);

    private readonly Socket _listener;
    private readonly string _path;
    private readonly IBrokerControl _broker;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private readonly List<Task> _captures = [];

    private ControlServer(Socket listener, string path, IBrokerControl broker, ILogger logger)
    {
        _listener = listener;
        _path = path;
        _broker = broker;
        _logger = logger;
        _accepting = AcceptAsync();
    }

    /// <summary>Makes the socket and begins to serve.</summary>
    /// <exception cref="ControlSocketException">Another broker has the socket, or it cannot be made.</exception>
    public static ControlServer Start(string path, IBrokerControl broker, ILogger logger)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (File.Exists(path))
                RemoveStale(path);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            // Between bind and listen nobody can connect, so the mode is in place before the first client.
            File.SetUnixFileMode(path, AtomicFile.OwnerOnly);
            listener.Listen(16);
            return new ControlServer(listener, path, broker, logger);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or ArgumentException)
        {
            listener.Dispose();
            throw new ControlSocketException($"the control socket {path} cannot be made: {e.Message} (set control.socket to a path that the broker may write to)");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Task[] captures;
        lock (_captures)
            captures = [.. _captures];
        await Task.WhenAll(captures);
        File.Delete(_path);
        _stop.Dispose();
    }

    /// <summary>Whether a peer's user may control this broker.</summary>
    internal static bool IsAllowed(uint peerUser) => peerUser == 0 || peerUser == EffectiveUser();

    private static void RemoveStale(string path)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            // Nobody listens: a broker that was killed left it.
            File.Delete(path);
            return;
        }
        throw new ControlSocketException($"another broker is running with the control socket {path}: stop it, or set control.socket to another path");
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptAsync(_stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // No descriptors are left, for example: just then the operator needs this socket, so it goes on when some are free.
                LogAcceptFailed(_logger, e.Message);
                await Task.WhenAny(Task.Delay(s_pauseWithoutDescriptors, _stop.Token));
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        deadline.CancelAfter(s_requestTime);
        using (client)
        {
            try
            {
                ControlPeer peer = ControlPeer.Of(client);
                if (!IsAllowed(peer.UserId))
                {
                    LogRefused(_logger, peer.UserId);
                    return;
                }
                ControlRequest? request = await ReadAsync(client, deadline.Token);
                if (request is { Command: "capture", Capture: { } capture })
                    await CaptureAsync(client, capture, peer, deadline.Token);
                else
                    await SendAsync(client, await RespondAsync(request), deadline.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
            {
                LogBroken(_logger, e.Message);
            }
        }
    }

    /// <summary>A capture has a thread of its own, until it ends: by its limits, by its client, or because this server stops.</summary>
    private async Task CaptureAsync(Socket client, CaptureRequest request, ControlPeer peer, CancellationToken deadline)
    {
        CancellationToken stop = _stop.Token;
        StartedCapture started;
        try
        {
            started = await _broker.StartCaptureAsync(request, peer);
        }
        catch (CaptureRefusedException e)
        {
            await SendAsync(client, new ControlResponse(e.Message), deadline);
            return;
        }
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_captures)
            _captures.Add(ended.Task);
        try
        {
            await SendAsync(client, new ControlResponse(null, Describe(started)), deadline);
        }
        finally
        {
            // Also for a client that is gone already: running it is what ends it.
            new Thread(() =>
            {
                try
                {
                    started.Run(client, stop);
                }
                catch (Exception e)
                {
                    LogCaptureFailed(_logger, e);
                }
                ended.SetResult();
            }) { IsBackground = true, Name = "capture" }.Start();
            await ended.Task;
            lock (_captures)
                _captures.Remove(ended.Task);
        }
    }

    private static string Describe(StartedCapture started)
    {
        string text = $"capturing {started.Points}";
        if (started.LeftOut.Count > 0)
            text += $"\nleft out, since users' traffic is seen there: {string.Join(", ", started.LeftOut)} (docs/capture.md says how to see it)";
        if (started.ShowsUsersTraffic)
            text += "\nWARNING: this capture shows users' traffic in clear. It is noted in the audit log that you asked for it. Keep the file as secret as the traffic, and delete it.";
        return text;
    }

    private static async Task SendAsync(Socket client, ControlResponse response, CancellationToken cancellation)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(response, StatusJson.Default.ControlResponse), (byte)'\n'];
        for (int sent = 0; sent < line.Length;)
            sent += await client.SendAsync(line.AsMemory(sent), cancellation);
    }

    private static async Task<ControlRequest?> ReadAsync(Socket client, CancellationToken cancellation)
    {
        byte[] buffer = new byte[MaxRequestBytes];
        int length = 0;
        while (length < buffer.Length && !buffer.AsSpan(0, length).Contains((byte)'\n'))
        {
            int count = await client.ReceiveAsync(buffer.AsMemory(length), cancellation);
            if (count == 0)
                break;
            length += count;
        }
        try
        {
            return JsonSerializer.Deserialize(buffer.AsSpan(0, length), StatusJson.Default.ControlRequest);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<ControlResponse> RespondAsync(ControlRequest? request)
    {
        switch (request)
        {
            case { Command: "status" }:
                return new ControlResponse(null, Status: await _broker.GetStatusAsync(request.Users));
            case { Command: "flows" }:
                return await ReadFlowsAsync(request.Flows ?? new FlowsRequest());
            case { Command: "disconnect", User: { Length: > 0 } user }:
                int count = _broker.Disconnect(user);
                LogDisconnect(_logger, user, count);
                return count == 0
                    ? new ControlResponse($"{user} has no session (broker status lists them)")
                    : new ControlResponse(null, $"{count} session(s) of {user} ended");
            case { Command: "ipsec-up", Peer: { Length: > 0 } peer }:
                return await CommandAsync(IpsecCommand.Up, peer, $"{peer} is being brought up");
            case { Command: "ipsec-down", Peer: { Length: > 0 } peer }:
                return await CommandAsync(IpsecCommand.Down, peer, $"{peer} is being taken down");
            case { Command: "ipsec-rekey", Peer: { Length: > 0 } peer }:
                return await CommandAsync(request.IkeSa ? IpsecCommand.RekeyIke : IpsecCommand.RekeyChildren, peer, $"{peer} gets new keys");
            case { Command: "reload" }:
                string? error = await _broker.ReloadAsync();
                return error is null ? new ControlResponse(null, "the new configuration is in use") : new ControlResponse(error);
            default:
                return new ControlResponse("send one line of JSON: {\"command\":\"status\"}, {\"command\":\"disconnect\",\"user\":\"NAME\"}, {\"command\":\"reload\"} or {\"command\":\"capture\",\"capture\":{...}}");
        }
    }

    private async Task<ControlResponse> ReadFlowsAsync(FlowsRequest request)
    {
        try
        {
            return new ControlResponse(null, Flows: await _broker.GetFlowsAsync(request));
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            return new ControlResponse(e.Message);
        }
    }

    private async Task<ControlResponse> CommandAsync(IpsecCommand command, string peer, string done)
    {
        string? error = await _broker.CommandIpsecAsync(command, peer);
        if (error is null)
            LogIpsec(_logger, command, peer);
        return error is null ? new ControlResponse(null, done) : new ControlResponse(error);
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    [LoggerMessage(1, LogLevel.Warning, "User id {User} tried to use the control socket and was refused")]
    private static partial void LogRefused(ILogger logger, uint user);

    [LoggerMessage(2, LogLevel.Information, "disconnect {User}: {Count} session(s) ended")]
    private static partial void LogDisconnect(ILogger logger, string user, int count);

    [LoggerMessage(3, LogLevel.Debug, "A control connection broke: {Message}")]
    private static partial void LogBroken(ILogger logger, string message);

    [LoggerMessage(4, LogLevel.Error, "A control connection could not be accepted: {Message}; raise LimitNOFILE when descriptors are short")]
    private static partial void LogAcceptFailed(ILogger logger, string message);

    [LoggerMessage(6, LogLevel.Information, "ipsec {Command} {Peer}, as an operator wants")]
    private static partial void LogIpsec(ILogger logger, IpsecCommand command, string peer);

    [LoggerMessage(5, LogLevel.Error, "A capture failed")]
    private static partial void LogCaptureFailed(ILogger logger, Exception exception);
}

/// <summary>A control socket that cannot be made or reached; the message says what to do.</summary>
public sealed class ControlSocketException(string message) : Exception(message);
