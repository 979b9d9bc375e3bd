using System.Runtime.InteropServices;

namespace VpnBroker.Listening;

/// <summary>
/// Tells control threads when a connection's socket can be read or written: one epoll set with one thread, which does no more.
/// </summary>
/// <remarks>
/// Why not Socket.ReceiveAsync: the runtime adds a socket to its own epoll set for good, and the set keeps the open file (a duplicate
/// descriptor too), so each packet of a tunnel would wake the runtime's event thread for as long as the tunnel lives. A socket leaves
/// this set before its lcore gets it.
/// </remarks>
internal sealed unsafe class ReadinessPoller : IDisposable
{
    private const int MaxEvents = 256;

    private readonly Dictionary<ulong, ClientSocket> _sockets = [];
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private readonly int _epoll;
    private ulong _lastId;
    private volatile bool _stopping;

    public ReadinessPoller()
    {
        _epoll = SystemCalls.EpollCreate(SystemCalls.EpollCloseOnExec);
        if (_epoll < 0)
            throw new InvalidOperationException($"epoll_create1 failed: {Marshal.GetLastPInvokeErrorMessage()}");
        _thread = new Thread(Run) { Name = "broker-accept", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Adds a socket, with no event asked for.</summary>
    public ulong Add(ClientSocket socket)
    {
        ulong id;
        lock (_gate)
        {
            id = ++_lastId;
            _sockets.Add(id, socket);
        }
        Control(SystemCalls.EpollAdd, socket.Descriptor, 0, id);
        return id;
    }

    /// <summary>Asks for one event.</summary>
    public void Arm(ClientSocket socket, uint events) =>
        Control(SystemCalls.EpollModify, socket.Descriptor, events | SystemCalls.EpollOneShot, socket.Id);

    /// <summary>Takes a socket out.</summary>
    public void Remove(ClientSocket socket)
    {
        Control(SystemCalls.EpollDelete, socket.Descriptor, 0, 0);
        lock (_gate)
            _sockets.Remove(socket.Id);
    }

    public void Dispose()
    {
        _stopping = true;
        _thread.Join();
        _ = SystemCalls.Close(_epoll);
    }

    private void Control(int operation, int descriptor, uint events, ulong id)
    {
        // struct epoll_event is 12 or 16 bytes: the events, then the data in its last 8 bytes.
        byte* buffer = stackalloc byte[16];
        var view = new Span<byte>(buffer, SystemCalls.EpollEventSize);
        MemoryMarshal.Write(view, events);
        MemoryMarshal.Write(view[^8..], id);
        if (SystemCalls.EpollControl(_epoll, operation, descriptor, buffer) < 0)
            throw new InvalidOperationException($"epoll_ctl failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private void Run()
    {
        int size = SystemCalls.EpollEventSize;
        byte[] memory = GC.AllocateArray<byte>(MaxEvents * 16, pinned: true);
        // The array is pinned and referenced until the loop ends.
        byte* events = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(memory, 0);
        while (!_stopping)
        {
            int count = SystemCalls.EpollWait(_epoll, events, MaxEvents, timeoutMilliseconds: 200);
            for (int i = 0; i < count; i++)
            {
                ulong id = BitConverter.ToUInt64(memory, i * size + size - 8);
                ClientSocket? socket;
                lock (_gate)
                    _sockets.TryGetValue(id, out socket);
                socket?.Signal();
            }
        }
    }
}
