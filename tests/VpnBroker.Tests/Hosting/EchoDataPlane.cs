using System.Net.Sockets;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Tls;
using CryptoPlane.Tls.Record;
using Microsoft.Win32.SafeHandles;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Tests.Hosting;

/// <summary>
/// A data plane of one blocking thread per tunnel: it opens and seals records with the keys that were handed over, answers DPD, and
/// sends inner packets back where they came from. It shows that what the control plane hands over is all that a tunnel needs.
/// </summary>
internal sealed class EchoDataPlane : IDataPlane
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, EchoTunnel> _tunnels = [];
    private readonly List<EchoTunnel> _started = [];

    public List<UserTunnelRequest> Attached { get; } = [];

    /// <summary>Whether any socket was in an epoll set of this process when it was handed over.</summary>
    public bool WasWatchedAtAttach { get; private set; }

    public List<BrokerConfig> Applied { get; } = [];

    public int LcoreCount => 1;

    public Action<TunnelEnded>? TunnelEnded { get; set; }

    public Task AttachUserAsync(UserTunnelRequest request)
    {
        EchoTunnel? replaced;
        WasWatchedAtAttach |= EpollSets.Watch(request.Socket);
        lock (_gate)
        {
            replaced = _tunnels.Values.FirstOrDefault(tunnel => Equals(tunnel.Request.InnerIPv4, request.InnerIPv4));
            if (replaced is not null)
                _tunnels.Remove(replaced.Request.TunnelId);
            Attached.Add(request);
            var tunnel = new EchoTunnel(request, reason => End(request.TunnelId, reason));
            _tunnels.Add(request.TunnelId, tunnel);
            _started.Add(tunnel);
        }
        replaced?.Close();
        if (replaced is not null)
            TunnelEnded?.Invoke(new TunnelEnded(replaced.Request.TunnelId, replaced.Request.SessionId, TunnelEndReason.Replaced, 0, 0));
        return Task.CompletedTask;
    }

    public Task<bool> DetachUserAsync(ulong tunnelId, TunnelEndReason reason) => Task.FromResult(End(tunnelId, reason));

    /// <summary>What it says to have counted.</summary>
    public Func<DataPlaneStatus> Status { get; set; } = () => new DataPlaneStatus { Lcores = [] };

    public Task<DataPlaneStatus> GetStatusAsync(bool includeTunnels) => Task.FromResult(Status());

    public IReadOnlyList<CapturePoint> CapturePoints => [];

    public Task<IDataPlaneCapture> StartCaptureAsync(CapturePlan plan) => throw new InvalidOperationException("An echo captures nothing.");

    public void ReadSequencePositions(Span<ulong> positions) => positions.Clear();

    public Task RaiseSequenceLimitAsync(int outboundSa, ulong limit) => Task.CompletedTask;

    public Task ApplyAsync(BrokerConfig config)
    {
        Applied.Add(config);
        return Task.CompletedTask;
    }

    public Task StopAsync(TimeSpan deadline)
    {
        ulong[] tunnels;
        EchoTunnel[] started;
        lock (_gate)
        {
            tunnels = [.. _tunnels.Keys];
            started = [.. _started];
        }
        foreach (ulong tunnel in tunnels)
            End(tunnel, TunnelEndReason.Shutdown);
        // Nothing is reported afterwards: a report is written to the audit log, whose directory the test removes.
        foreach (EchoTunnel tunnel in started)
            tunnel.Join();
        return Task.CompletedTask;
    }

    private bool End(ulong tunnelId, TunnelEndReason reason)
    {
        EchoTunnel? tunnel;
        lock (_gate)
        {
            if (!_tunnels.Remove(tunnelId, out tunnel))
                return false;
        }
        tunnel.Close();
        TunnelEnded?.Invoke(new TunnelEnded(tunnelId, tunnel.Request.SessionId, reason, 0, 0));
        return true;
    }
}

/// <summary>One tunnel of <see cref="EchoDataPlane"/>.</summary>
internal sealed unsafe class EchoTunnel
{
    private const int MaxRecord = TlsConnection.MaxRecordSize;

    private readonly Socket _socket;
    private readonly Action<TunnelEndReason> _ended;
    private readonly Thread _thread;

    public EchoTunnel(UserTunnelRequest request, Action<TunnelEndReason> ended)
    {
        Request = request;
        _ended = ended;
        // The descriptor comes non-blocking, which the Socket does not know: it must be told so before it can be told otherwise.
        _socket = new Socket(new SafeSocketHandle(request.Socket, ownsHandle: true)) { Blocking = false };
        _socket.Blocking = true;
        _thread = new Thread(Run) { IsBackground = true, Name = $"echo-{request.TunnelId}" };
        _thread.Start();
    }

    public UserTunnelRequest Request { get; }

    /// <summary>Wakes the thread, which frees everything.</summary>
    public void Close()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client, or the tunnel's own thread, was faster.
        }
    }

    /// <summary>Waits until its end was reported.</summary>
    public void Join() => _thread.Join();

    private void Run()
    {
        using AeadEngine engine = AeadEngine.CreateDefault();
        using var burst = new AeadBurst(8);
        using var reader = new TlsRecordReader(4);
        var states = (TlsTrafficState*)Request.TrafficStates;
        byte* memory = (byte*)NativeMemory.AlignedAlloc(3 * 32768, 64);
        var buffer = new Span<byte>(memory, MaxRecord);
        Request.Unread.CopyTo(buffer);
        int length = Request.Unread.Length;
        TunnelEndReason reason = TunnelEndReason.ConnectionLost;
        try
        {
            while (true)
            {
                while (TlsRecordHeader.TryParse(buffer[..length], isProtected: true, out TlsRecordHeader header) == TlsRecordHeaderStatus.Complete)
                {
                    byte* content = memory + 32768;
                    reader.TryAdd(burst, states, memory, header.RecordLength, content, 0);
                    burst.Run(engine);
                    for (int first = burst.Count; reader.Complete(burst, engine); first = burst.Count)
                        burst.Run(engine, first);
                    TlsOpenedRecord opened = reader[0];
                    reader.Clear();
                    burst.Clear();
                    if (opened.Status != TlsOpenStatus.Opened)
                        return;
                    if (content[6] == 5)
                    {
                        reason = TunnelEndReason.ClientDisconnected;
                        return;
                    }
                    // CSTP: 0 DATA goes back as it is, 3 DPD-REQ becomes 4 DPD-RESP.
                    if (content[6] == 3)
                        content[6] = 4;
                    byte* sealedRecord = memory + 65536;
                    TlsRecordWriter.TryAdd(burst, states + 1, TlsContentType.ApplicationData, content, opened.Length, sealedRecord, 32768, out int recordLength);
                    burst.Run(engine);
                    burst.Clear();
                    _socket.Send(new ReadOnlySpan<byte>(sealedRecord, recordLength));
                    buffer[header.RecordLength..length].CopyTo(buffer);
                    length -= header.RecordLength;
                }
                int count = _socket.Receive(buffer[length..]);
                if (count == 0)
                    return;
                length += count;
            }
        }
        catch (SocketException)
        {
            // The connection broke: as when it is closed.
        }
        finally
        {
            states[0].Release(engine);
            states[1].Release(engine);
            NativeMemory.AlignedFree(states);
            NativeMemory.AlignedFree(memory);
            _socket.Dispose();
            _ended(reason);
        }
    }
}
