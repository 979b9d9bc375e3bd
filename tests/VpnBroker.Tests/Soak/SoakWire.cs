using System.Net;
using System.Net.Sockets;
using CryptoPlane.Aead;
using CryptoPlane.IO;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Record;

namespace VpnBroker.Tests.Soak;

/// <summary>What all users share, since one thread drives them: engine, bursts, memory for plaintext, handshakes, and new TCP connections.</summary>
internal sealed class SoakWire : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public SoakWire(ulong seed)
    {
        Seed = seed;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(16);
    }

    public ulong Seed { get; }

    public AeadEngine Engine { get; } = AeadEngine.CreateDefault();

    public AeadBurst Burst { get; } = new(1024);

    public TlsRecordReader Reader { get; } = new(512);

    public NativeBuffer Plain { get; } = new(1 << 17);

    public SoakHandshake Handshake { get; } = new();

    /// <summary>Totals over all users.</summary>
    public long Sent, Delivered, Attacks, Errors, KeyUpdates, Connections;

    /// <summary>Makes a TCP connection over the loopback interface; both descriptors belong to the caller.</summary>
    public (int Client, int Broker) Connect(int receiveBuffer)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (receiveBuffer > 0)
            client.ReceiveBufferSize = receiveBuffer;
        client.Connect(_listener.LocalEndPoint!);
        return (Release(client), Release(_listener.Accept()));
    }

    public void Dispose()
    {
        _listener.Dispose();
        Handshake.Dispose();
        Reader.Dispose();
        Burst.Dispose();
        Engine.Dispose();
        Plain.Dispose();
    }

    private static int Release(Socket socket)
    {
        // Closing with a linger time of 0 resets: a user who leaves politely has read the broker's end first.
        socket.LingerState = new LingerOption(true, 0);
        int descriptor = (int)socket.SafeHandle.DangerousGetHandle();
        socket.SafeHandle.SetHandleAsInvalid();
        GC.SuppressFinalize(socket);
        TcpSocket.SetNonBlocking(descriptor);
        return descriptor;
    }
}
