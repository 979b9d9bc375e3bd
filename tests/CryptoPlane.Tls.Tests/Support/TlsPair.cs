using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Tests.Support;

/// <summary>A client and a server in memory, and the bytes between them, which a test may watch, cut and change.</summary>
internal sealed class TlsPair : IDisposable
{
    private const int MaxSteps = 200_000;

    private readonly List<byte> _toServer = [];
    private readonly List<byte> _toClient = [];

    public TlsPair(TlsClientOptions clientOptions, TlsServerOptions serverOptions)
    {
        Client = new TlsClient(clientOptions);
        Server = new TlsServer(serverOptions);
    }

    public TlsClient Client { get; }

    public TlsServer Server { get; }

    /// <summary>What the last call on each side came to.</summary>
    public TlsStatus ClientStatus { get; private set; } = TlsStatus.NeedMoreData;

    public TlsStatus ServerStatus { get; private set; } = TlsStatus.NeedMoreData;

    /// <summary>Which kinds of work came up.</summary>
    public List<TlsStatus> Work { get; } = [];

    /// <summary>Early data that the client sends as soon as it may, as far as the server takes it.</summary>
    public byte[] EarlyDataToSend { get; set; } = [];

    /// <summary>Early data that the server was given.</summary>
    public List<byte> EarlyData { get; } = [];

    /// <summary>Changes what the client sends before the server gets it.</summary>
    public Func<byte[], byte[]> OnClientBytes { get; set; } = bytes => bytes;

    /// <summary>Changes what the server sends before the client gets it.</summary>
    public Func<byte[], byte[]> OnServerBytes { get; set; } = bytes => bytes;

    /// <summary>What the application says about a client's certificate.</summary>
    public Action<TlsCertificateDecision> OnDecision { get; set; } = decision => decision.Accept();

    /// <summary>Bytes of the destination that each call gets.</summary>
    public int DestinationSize { get; set; } = 32_768;

    /// <summary>Most new bytes that a side sees per call.</summary>
    public int DeliverySize { get; set; } = int.MaxValue;

    public static TlsClientOptions ClientOptions(string name = TestCertificates.ServerName) => new(name) { TrustedRoots = new X509Certificate2Collection(TestCertificates.Root) };

    public static TlsServerOptions ServerOptions(X509Certificate2? certificate = null) => new(new TlsCredential(certificate ?? TestCertificates.EcdsaP256));

    /// <summary>Runs the handshake to its end on both sides, whichever that is.</summary>
    public void Run()
    {
        int clientSeen = 0, serverSeen = 0;
        for (int step = 0; step < MaxSteps; step++)
        {
            TlsStatus client = ClientStatus, server = ServerStatus;
            bool moved = Step(Client, _toClient, _toServer, OnClientBytes, ref clientSeen, ref client);
            moved |= Step(Server, _toServer, _toClient, OnServerBytes, ref serverSeen, ref server);
            ClientStatus = client;
            ServerStatus = server;
            if (!moved)
                return;
        }
        Assert.Fail("The handshake does not come to an end.");
    }

    /// <summary>Gives the client what came behind the server's handshake: its tickets.</summary>
    public void ReadTickets()
    {
        Assert.Empty(Receive(Client, _toClient.ToArray(), out TlsStatus status));
        _toClient.Clear();
        Assert.Equal(TlsStatus.NeedMoreData, status);
    }

    /// <summary>Sends data from one side to the other and gives back what arrives.</summary>
    public static byte[] Send(TlsConnection from, TlsConnection to, ReadOnlySpan<byte> data)
    {
        byte[] wire = new byte[data.Length + (22 * (1 + (data.Length / 16384))) + 64];
        Assert.Equal(TlsStatus.Complete, from.Write(data, wire, out int consumed, out int written));
        Assert.Equal(data.Length, consumed);
        return Receive(to, wire.AsSpan(0, written), out _);
    }

    /// <summary>Reads all data out of records.</summary>
    public static byte[] Receive(TlsConnection connection, ReadOnlySpan<byte> wire, out TlsStatus status)
    {
        var all = new List<byte>();
        byte[] data = new byte[TlsConnection.MaxPlaintextSize];
        while (true)
        {
            status = connection.Read(wire, data, out int consumed, out int written);
            wire = wire[consumed..];
            all.AddRange(data.AsSpan(0, written));
            if (status != TlsStatus.Complete)
                return [.. all];
        }
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    private bool StepEarlyData(TlsConnection connection, TlsStatus status, List<byte> output, Func<byte[], byte[]> change)
    {
        if (connection is TlsServer server && status == TlsStatus.EarlyData)
        {
            byte[] data = new byte[1000];
            int length = server.ReadEarlyData(data);
            Assert.NotEqual(0, length);
            EarlyData.AddRange(data.AsSpan(0, length));
            return true;
        }
        if (EarlyDataToSend.Length == 0 || connection is not TlsClient { CanWriteEarlyData: true } client)
            return false;
        byte[] wire = new byte[2 * EarlyDataToSend.Length + 100_000];
        Assert.Equal(TlsStatus.Complete, client.WriteEarlyData(EarlyDataToSend, wire, out _, out int written));
        EarlyDataToSend = [];
        output.AddRange(change(wire[..written]));
        return true;
    }

    private bool Step(TlsConnection connection, List<byte> input, List<byte> output, Func<byte[], byte[]> change, ref int seen, ref TlsStatus status)
    {
        int visible = (int)Math.Min(input.Count, (long)seen + DeliverySize);
        byte[] destination = new byte[DestinationSize];
        TlsStatus now = connection.Handshake(input.ToArray().AsSpan(0, visible), destination, out int consumed, out int written);
        input.RemoveRange(0, consumed);
        output.AddRange(change(destination[..written]));
        bool moved = now != status || consumed != 0 || written != 0 || visible != seen;
        seen = visible - consumed;
        status = now;
        moved |= StepEarlyData(connection, now, output, change);
        if (connection.PendingWork is { IsDone: false } work)
        {
            Assert.True(now == work.Status || now == TlsStatus.DestinationTooSmall);
            Work.Add(work.Status);
            if (work is TlsCertificateDecision decision)
                OnDecision(decision);
            else
                work.Execute();
            moved = true;
        }
        return moved;
    }
}
