using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Tunnels;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Dtls;

/// <summary>A user's data channel as its client has it: seals what the lcore is to open, and opens what it sent.</summary>
internal sealed unsafe class DtlsClient : IDisposable
{
    private const DtlsCipherSuite Suite = DtlsCipherSuite.PskAes128GcmSha256;

    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly NativeBuffer _states = new(2 * DtlsTrafficState.SizeInBytes);
    private readonly WorkerBed _bed;
    private readonly DatagramPort _port;
    private readonly TestUser _user;

    public DtlsClient(WorkerBed bed, DatagramPort port, TestUser user)
    {
        _bed = bed;
        _port = port;
        _user = user;
        Tunnel->Dtls = DtlsBinding.CreateStates();
    }

    /// <summary>Where the client's datagrams come from.</summary>
    public PacketEndpoint Address { get; set; } = PacketEndpoint.From(new IPEndPoint(IPAddress.Parse("198.51.100.7"), 40001));

    private DtlsTrafficState* Read => (DtlsTrafficState*)_states.Pointer;

    private DtlsTrafficState* Write => Read + 1;

    public UserTunnel* Tunnel => _bed.Context.Tunnels + _user.Slot;

    public bool IsUp => (Tunnel->Flags & TunnelFlags.Dtls) != 0;

    /// <summary>Gives the lcore and the client new keys.</summary>
    /// <returns>Whether the lcore took them.</returns>
    public bool Attach(byte seed, ulong? tunnelId = null)
    {
        Read->Release(_engine);
        Write->Release(_engine);
        DtlsBinding* binding = DtlsBinding.Create();
        binding->Peer = Address;
        Initialize(DtlsBinding.StatesOf(binding), seed);
        Initialize(DtlsBinding.StatesOf(binding) + 1, (byte)(seed + 100));
        Initialize(Write, seed);
        Initialize(Read, (byte)(seed + 100));
        _bed.Post(new LcoreMessage { Kind = LcoreMessageKind.DtlsAttach, Slot = _user.Slot, Value = tunnelId ?? Tunnel->TunnelId, Pointer = (nint)binding });
        _bed.Poll();
        Assert.Contains(_bed.Events, report => report.Kind == LcoreEventKind.DtlsAttached && report.Pointer == (nint)binding);
        bool taken = binding->Taken != 0;
        DtlsBinding.Free(binding);
        return taken;
    }

    public byte[] Seal(CstpType type, ReadOnlySpan<byte> payload) => SealRaw(TlsContentType.ApplicationData, [(byte)type, .. payload]);

    public byte[] SealRaw(TlsContentType type, ReadOnlySpan<byte> content)
    {
        using var burst = new AeadBurst(1);
        using var record = new NativeBuffer(content.Length + Write->Overhead);
        byte* text = record.Pointer + Write->ContentOffset;
        content.CopyTo(new Span<byte>(text, content.Length));
        Assert.Equal(TlsRecordStatus.Added, DtlsRecordWriter.TryAdd(burst, Write, type, text, content.Length, record.Pointer, record.Length, out _));
        burst.Run(_engine);
        return record.Span.ToArray();
    }

    /// <summary>Lets the lcore have a datagram.</summary>
    public void Send(byte[] datagram)
    {
        _port.Incoming.Enqueue((Address, datagram));
        _bed.Poll();
    }

    /// <summary>What the lcore has sent since the last call, in order; fails where a datagram went elsewhere or does not open.</summary>
    public List<(CstpType Type, byte[] Payload)> Receive()
    {
        var frames = new List<(CstpType, byte[])>();
        foreach ((PacketEndpoint to, byte[] bytes) in _port.Outgoing)
        {
            Assert.Equal(Address, to);
            using var burst = new AeadBurst(1);
            using var reader = new DtlsRecordReader(1);
            using var record = new NativeBuffer(bytes);
            Assert.True(reader.TryAdd(burst, Read, record.Pointer, record.Length, 0));
            burst.Run(_engine);
            reader.Complete(burst);
            Assert.Equal(DtlsOpenStatus.Opened, reader[0].Status);
            frames.Add(((CstpType)reader[0].Content[0], reader[0].Content[1..].ToArray()));
        }
        _port.Outgoing.Clear();
        return frames;
    }

    public void Dispose()
    {
        // The worker has let the tunnel's keys go, or does so when it stops; the block is the test's.
        _bed.Worker.Stop();
        NativeMemory.AlignedFree(Tunnel->Dtls);
        Tunnel->Dtls = null;
        Read->Release(_engine);
        Write->Release(_engine);
        _states.Dispose();
        _engine.Dispose();
    }

    private static void Initialize(DtlsTrafficState* state, byte seed)
    {
        byte[] key = new byte[16], iv = new byte[4];
        Array.Fill(key, seed);
        Array.Fill(iv, seed);
        DtlsTrafficState.Initialize(state, Suite, epoch: 1, key, iv);
    }
}
