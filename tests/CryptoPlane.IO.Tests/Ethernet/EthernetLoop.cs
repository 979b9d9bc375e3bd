using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Ethernet;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>
/// An lcore's loop on the test's own thread, over ports on TAP devices at whose other end is a kernel. With two ports it is a router: what
/// one of them receives leaves by the other. With one, it keeps what it receives.
/// </summary>
internal sealed unsafe class EthernetLoop : IDisposable
{
    private const int Burst = 32;

    private readonly PacketPool _pool = new(512, 2048, 128);
    private readonly EpollSet _epoll = new();
    private readonly List<TapPort> _taps = [];
    private readonly List<EthernetIpPort> _ports = [];
    private long _skipped;

    /// <summary>What the only port received.</summary>
    public List<byte[]> Kept { get; } = [];

    /// <summary>Adds a port.</summary>
    /// <param name="link">The device whose kernel side is the link's other station.</param>
    /// <param name="options">What the port is on it.</param>
    /// <param name="exception">The device whose kernel side stands behind the port.</param>
    public EthernetIpPort Add(TapDevice link, EthernetIpOptions options, TapDevice? exception = null)
    {
        var port = new EthernetIpPort(Open(link), options, _pool, exception == null ? null : Open(exception));
        _ports.Add(port);
        port.Tick(Now);
        return port;
    }

    /// <summary>Options of a port with one or two addresses, such as "10.84.1.1/24".</summary>
    public static EthernetIpOptions Options(string mac, EthernetRole role, string[] addresses, params string[] gateways) => new()
    {
        Mac = PhysicalAddress.Parse(mac),
        Addresses = [.. addresses.Select(address => address.Split('/')).Select(parts => (IPAddress.Parse(parts[0]), int.Parse(parts[1])))],
        Gateways = [.. gateways.Select(IPAddress.Parse)],
        Role = role,
    };

    /// <summary>Makes a TAP device whose kernel side is in a namespace, up and with addresses.</summary>
    public static TapDevice Device(NetworkNamespace space, string? mac, params string[] addresses)
    {
        TapDevice device = TapDevice.Open(new TapOptions { Mac = mac == null ? null : PhysicalAddress.Parse(mac) });
        ExternalProgram.Run(Requirement.Program("ip", "iproute2"), ["link", "set", device.Name, "netns", space.Name]).EnsureSuccess();
        foreach (string address in addresses)
            space.AddAddress(device.Name, address);
        space.Ip($"link set {device.Name} up");
        return device;
    }

    /// <summary>Sends a packet.</summary>
    public void Send(EthernetIpPort port, byte[] packet)
    {
        Assert.True(_pool.TryRent(out PacketBuffer* buffer));
        Assert.True(buffer->TrySetLength(packet.Length));
        packet.CopyTo(buffer->Span);
        Assert.Equal(1, port.Transmit(&buffer, 1));
    }

    /// <summary>Lets the ports' time pass, and nothing else happen.</summary>
    public void Skip(TimeSpan time)
    {
        _skipped += (long)time.TotalNanoseconds;
        foreach (EthernetIpPort port in _ports)
            port.Tick(Now);
    }

    /// <summary>Runs a program in a namespace to its end while the loop turns.</summary>
    public ProgramResult Run(NetworkNamespace space, string program, params string[] arguments)
    {
        using ExternalProgram running = space.Start(program, arguments);
        RunUntil(() => running.HasExited, program);
        return running.WaitForExit();
    }

    /// <summary>Turns until a condition holds.</summary>
    public void RunUntil(Func<bool> done, string what) => Eventually.True(
        () =>
        {
            _epoll.Wait(20);
            Turn();
            return done();
        },
        what, TimeSpan.FromSeconds(60));

    public void Dispose()
    {
        _ports.ForEach(port => port.Dispose());
        _taps.ForEach(tap => tap.Dispose());
        _epoll.Dispose();
        Assert.Equal(_pool.Count, _pool.Available);
        _pool.Dispose();
    }

    private long Now => (long)Stopwatch.GetElapsedTime(0).TotalNanoseconds + _skipped;

    private TapPort Open(TapDevice device)
    {
        var tap = new TapPort(device, 0, _pool);
        _taps.Add(tap);
        Assert.True(_epoll.TryAdd(tap.FileDescriptor, EpollEvents.Readable, 0));
        return tap;
    }

    private void Turn()
    {
        PacketBuffer** burst = stackalloc PacketBuffer*[Burst];
        for (int i = 0; i < _ports.Count; i++)
        {
            _ports[i].Tick(Now);
            _ports[i].PumpException();
            int count = _ports[i].Receive(burst, Burst);
            if (_ports.Count == 2)
            {
                _ports[1 - i].Transmit(burst, count);
                continue;
            }
            for (int k = 0; k < count; k++)
                Kept.Add(burst[k]->Span.ToArray());
            _pool.Return(burst, count);
        }
    }
}
