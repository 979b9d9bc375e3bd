using CryptoPlane.IO;
using CryptoPlane.Lcores;

namespace VpnBroker.Listening;

/// <summary>
/// Tells control threads when a connection's socket can be read or written: one epoll set with one thread, which does no more.
/// </summary>
/// <remarks>
/// Why not Socket.ReceiveAsync: the runtime adds a socket to its own epoll set for good, and the set keeps the open file (a duplicate
/// descriptor too), so each packet of a tunnel would wake the runtime's event thread for as long as the tunnel lives. A socket leaves
/// this set before its lcore gets it.
/// </remarks>
internal sealed class ReadinessPoller : IDisposable
{
    private const ulong WakerId = 0;

    private readonly EpollSet _epoll = new();
    private readonly LcoreWaker _waker = new();
    private readonly Dictionary<ulong, ClientSocket> _sockets = [];
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private ulong _lastId = WakerId;
    private volatile bool _stopping;

    public ReadinessPoller()
    {
        if (!_epoll.TryAdd(_waker, WakerId))
            throw new InvalidOperationException("The kernel refused to watch an eventfd.");
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
        if (_epoll.TryAdd(socket.Descriptor, EpollEvents.EdgeTriggered, id))
            return id;
        lock (_gate)
            _sockets.Remove(id);
        throw new InvalidOperationException("The kernel refused to watch a socket: raise the limit fs.epoll.max_user_watches.");
    }

    /// <summary>Asks for events. One that is there already is reported too (epoll_ctl looks at the state when it modifies).</summary>
    public void Arm(ClientSocket socket, EpollEvents events) => _epoll.TryModify(socket.Descriptor, events | EpollEvents.EdgeTriggered, socket.Id);

    /// <summary>Takes a socket out.</summary>
    public void Remove(ClientSocket socket)
    {
        _epoll.TryRemove(socket.Descriptor);
        lock (_gate)
            _sockets.Remove(socket.Id);
    }

    public void Dispose()
    {
        _stopping = true;
        _waker.Signal();
        _thread.Join();
        _epoll.Dispose();
        _waker.Dispose();
    }

    private void Run()
    {
        while (!_stopping)
        {
            int count = _epoll.Wait(timeoutMilliseconds: -1);
            for (int i = 0; i < count; i++)
            {
                ClientSocket? socket;
                lock (_gate)
                    _sockets.TryGetValue(_epoll[i].UserData, out socket);
                socket?.Signal();
            }
        }
    }
}
