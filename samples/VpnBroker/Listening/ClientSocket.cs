using System.Net;
using System.Net.Sockets;
using CryptoPlane.IO;

namespace VpnBroker.Listening;

/// <summary>An accepted connection on a control thread: asynchronous reads and writes, until its lcore gets the descriptor.</summary>
/// <remarks>One operation at a time; the owner is one asynchronous method.</remarks>
internal sealed class ClientSocket : IDisposable
{
    private readonly ReadinessPoller _poller;
    private TaskCompletionSource? _ready;
    private bool _released;

    private ClientSocket(ReadinessPoller poller, int descriptor, IPEndPoint remote, IPEndPoint local)
    {
        _poller = poller;
        Descriptor = descriptor;
        Remote = remote;
        Local = local;
        Id = poller.Add(this);
    }

    /// <summary>The descriptor, which this object owns.</summary>
    public int Descriptor { get; }

    /// <summary>The client's address.</summary>
    public IPEndPoint Remote { get; }

    /// <summary>The address that the client connected to.</summary>
    public IPEndPoint Local { get; }

    /// <summary>The poller's number for it.</summary>
    public ulong Id { get; }

    /// <summary>Takes an accepted socket's descriptor over. The Socket object is then as if closed; it never did asynchronous I/O.</summary>
    public static ClientSocket Take(Socket accepted, ReadinessPoller poller)
    {
        IPEndPoint remote = Unmapped(accepted.RemoteEndPoint!), local = Unmapped(accepted.LocalEndPoint!);
        int descriptor = (int)accepted.SafeHandle.DangerousGetHandle();
        accepted.SafeHandle.SetHandleAsInvalid();
        // The Socket's finalizer would close the number all the same, by then perhaps another connection's.
        GC.SuppressFinalize(accepted);
        TcpSocket.SetNonBlocking(descriptor);
        TcpSocket.SetNoDelay(descriptor);
        try
        {
            return new ClientSocket(poller, descriptor, remote, local);
        }
        catch
        {
            // Nobody else knows the descriptor any more.
            TcpSocket.Close(descriptor);
            throw;
        }
    }

    /// <summary>An IPv4 address that a socket of IPv6 shows, as itself.</summary>
    private static IPEndPoint Unmapped(EndPoint address)
    {
        var end = (IPEndPoint)address;
        return end.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(end.Address.MapToIPv4(), end.Port) : end;
    }

    /// <summary>Receives what is there, and waits when nothing is.</summary>
    /// <returns>The bytes received; 0 when the client has closed, or the connection broke.</returns>
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        while (true)
        {
            IoStatus status = TryReceive(buffer.Span, out int count);
            if (status != IoStatus.WouldBlock)
                return status == IoStatus.Done ? count : 0;
            await WaitAsync(EpollEvents.Readable | EpollEvents.PeerClosed, cancellation);
        }
    }

    /// <summary>Sends everything.</summary>
    /// <returns>False when the connection broke.</returns>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        while (!data.IsEmpty)
        {
            IoStatus status = TrySend(data.Span, out int count);
            if (status == IoStatus.Done)
                data = data[count..];
            else if (status == IoStatus.WouldBlock)
                await WaitAsync(EpollEvents.Writable, cancellation);
            else
                return false;
        }
        return true;
    }

    /// <summary>Gives the descriptor up: open, non-blocking, in no epoll set.</summary>
    public int Release()
    {
        ObjectDisposedException.ThrowIf(_released, this);
        _released = true;
        _poller.Remove(this);
        return Descriptor;
    }

    /// <summary>Closes the connection, unless it was released.</summary>
    public void Dispose()
    {
        if (!_released)
            TcpSocket.Close(Release());
    }

    /// <summary>Called by the poller's thread.</summary>
    internal void Signal() => Volatile.Read(ref _ready)?.TrySetResult();

    private async ValueTask WaitAsync(EpollEvents events, CancellationToken cancellation)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _ready, ready);
        _poller.Arm(this, events);
        using (cancellation.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), ready))
            await ready.Task;
    }

    private unsafe IoStatus TryReceive(Span<byte> buffer, out int count)
    {
        // The span is pinned for the call, which keeps no pointer.
        fixed (byte* start = buffer)
            return TcpSocket.Receive(Descriptor, start, buffer.Length, out count);
    }

    private unsafe IoStatus TrySend(ReadOnlySpan<byte> data, out int count)
    {
        // The span is pinned for the call, which keeps no pointer.
        fixed (byte* start = data)
            return TcpSocket.Send(Descriptor, start, data.Length, out count);
    }
}
