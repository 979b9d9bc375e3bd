using System.Net;
using System.Net.Sockets;

namespace VpnBroker.Tests.Soak;

/// <summary>
/// The network between the two sites, with somebody in it who repeats packets, old and new, changes copies of them and cuts some short.
/// The packets themselves pass in order.
/// </summary>
internal sealed class EspRelay : IDisposable
{
    private readonly Direction[] _directions;
    private readonly Socket[] _ends;
    private readonly int[] _sites;
    private volatile bool _stop;

    /// <summary>Starts to carry packets between two UDP ports of the loopback interface.</summary>
    public EspRelay(int seed, int firstSite, int secondSite)
    {
        _sites = [firstSite, secondSite];
        _ends = [Open(firstSite), Open(secondSite)];
        _directions = [new Direction(this, seed, _ends[0], _ends[1]), new Direction(this, seed + 1, _ends[1], _ends[0])];
    }

    /// <summary>Where a site sends: [0] the first, [1] the second.</summary>
    public IReadOnlyList<int> Ports => [.. _ends.Select(end => ((IPEndPoint)end.LocalEndPoint!).Port)];

    /// <summary>Packets taken from a site.</summary>
    public long TakenFrom(int site) => Volatile.Read(ref _directions[site].Taken);

    /// <summary>Datagrams given to a site: packets, replays, forgeries.</summary>
    public long GivenTo(int site) => Volatile.Read(ref _directions[1 - site].Given);

    /// <summary>Datagrams for a site that its packets did not ask for.</summary>
    public long HostileTo(int site) => Volatile.Read(ref _directions[1 - site].Hostile);

    /// <summary>Whether nothing is on its way between the sites, as far as that can be seen from outside of them.</summary>
    public bool IsIdle() =>
        // In this order: what has left the relay's queue makes it busy until the site's queue has it.
        Ports.All(SoakSite.IsQueueEmpty) && _directions.All(direction => !direction.Busy) && _sites.All(SoakSite.IsQueueEmpty);

    public void Dispose()
    {
        _stop = true;
        foreach (Direction direction in _directions)
            direction.Thread.Join();
        foreach (Socket end in _ends)
            end.Dispose();
    }

    private static Socket Open(int site)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Connect(IPAddress.Loopback, site);
        return socket;
    }

    private sealed class Direction
    {
        private const int Kept = 2048;

        public long Taken;
        public long Given;
        public long Hostile;
        public volatile bool Busy;
        public readonly Thread Thread;

        private readonly EspRelay _relay;
        private readonly Random _random;
        private readonly Socket _from;
        private readonly Socket _to;
        private readonly byte[] _packet = new byte[2048];
        private readonly byte[][] _history = [.. Enumerable.Range(0, Kept).Select(_ => new byte[2048])];
        private readonly int[] _lengths = new int[Kept];

        public Direction(EspRelay relay, int seed, Socket from, Socket to)
        {
            _relay = relay;
            _random = new Random(seed);
            _from = from;
            _to = to;
            Thread = new Thread(Run) { IsBackground = true, Name = "esp-relay" };
            Thread.Start();
        }

        private void Run()
        {
            while (!_relay._stop)
            {
                if (!_from.Poll(50_000, SelectMode.SelectRead))
                    continue;
                Busy = true;
                int length = _from.Receive(_packet);
                int place = (int)(Taken % Kept);
                _packet.AsSpan(0, length).CopyTo(_history[place]);
                _lengths[place] = length;
                Send(_packet.AsSpan(0, length));
                Harass(place);
                Volatile.Write(ref Taken, Taken + 1);
                Busy = false;
            }
        }

        private void Harass(int newest)
        {
            int choice = _random.Next(256);
            if (choice >= 12)
                return;
            // Replays reach from the packet just sent to far behind the replay window.
            int place = choice < 4 ? newest : _random.Next((int)Math.Min(Kept, Taken + 1));
            Span<byte> copy = _packet.AsSpan(0, _lengths[place]);
            _history[place].AsSpan(0, copy.Length).CopyTo(copy);
            if (choice is 8 or 9)
                copy[_random.Next(4, copy.Length)] ^= (byte)(1 << _random.Next(8));
            else if (choice is 10 or 11)
                copy = copy[..(copy.Length - _random.Next(1, 9))];
            Volatile.Write(ref Hostile, Hostile + 1);
            Send(copy);
        }

        private void Send(ReadOnlySpan<byte> datagram)
        {
            // The count first: a site must never seem to have got more than was given.
            Volatile.Write(ref Given, Given + 1);
            _to.Send(datagram);
        }
    }
}
