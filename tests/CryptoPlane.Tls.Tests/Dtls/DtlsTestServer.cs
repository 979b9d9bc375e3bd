using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Dtls;

/// <summary>The gate and one association, driven by a test's clock.</summary>
internal sealed unsafe class DtlsTestServer : IDisposable
{
    private static readonly byte[] s_peer = [127, 0, 0, 1, 0x12, 0x34];

    private readonly NativeBuffer _states = new(2 * DtlsTrafficState.SizeInBytes);

    public DtlsTestServer(DtlsServerOptions? options = null) => Options = options ?? new DtlsServerOptions { Identity = "psk"u8.ToArray() };

    public DtlsServerOptions Options { get; }

    public DtlsHelloGate Gate { get; } = new();

    public DtlsServer? Server { get; private set; }

    public AeadEngine Engine { get; } = AeadEngine.CreateDefault();

    public long Now { get; set; } = 1_000_000;

    public DtlsTrafficState* Read => (DtlsTrafficState*)_states.Pointer;

    public DtlsTrafficState* Write => Read + 1;

    /// <summary>What a datagram is answered with.</summary>
    public List<byte[]> Receive(byte[] datagram)
    {
        byte[] answer = new byte[DtlsHelloGate.AnswerSize];
        switch (Gate.Check(datagram, s_peer, Now, answer, out DtlsClientHello? hello))
        {
            case DtlsHelloStatus.SendAnswer:
                Assert.True(answer.Length <= datagram.Length, "The answer to an unproven address is longer than what came.");
                return [answer];
            case DtlsHelloStatus.Accepted when Server == null:
                Server = new DtlsServer(Options, hello!, DtlsTestClient.Psk, Now);
                return Take();
            case DtlsHelloStatus.Malformed:
                return [];
        }
        Server?.Receive(datagram, Now);
        return Take();
    }

    /// <summary>Lets the clock pass the next deadline.</summary>
    public List<byte[]> AdvanceToDeadline()
    {
        Assert.NotEqual(long.MaxValue, Server!.NextDeadline);
        Now = Server.NextDeadline;
        Server.Advance(Now);
        return Take();
    }

    public void Detach() => Server!.DetachTraffic(Read, Write);

    public byte[] Seal(ReadOnlySpan<byte> content) => DtlsRecords.Seal(Engine, Write, TlsContentType.ApplicationData, content);

    public (DtlsOpenStatus Status, byte[] Content) Open(byte[] record) => DtlsRecords.Open(Engine, Read, record)[0];

    public void Dispose()
    {
        Server?.Dispose();
        Gate.Dispose();
        Read->Release(Engine);
        Write->Release(Engine);
        _states.Dispose();
        Engine.Dispose();
    }

    private List<byte[]> Take()
    {
        var datagrams = new List<byte[]>();
        byte[] room = new byte[Options.MaxDatagram];
        while (Server != null && Server.TryTakeDatagram(room, out int length))
            datagrams.Add(room[..length]);
        return datagrams;
    }
}
