using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Our server on a free port, for one client, in the background.</summary>
internal sealed class InteropServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    /// <summary>Listens, and serves the first client.</summary>
    /// <param name="options">Of the connection.</param>
    /// <param name="serve">What to do with it once the handshake is complete.</param>
    public InteropServer(TlsServerOptions options, Action<TlsSocket> serve)
    {
        _listener.Start();
        Completion = Task.Run(() =>
        {
            using TlsSocket socket = TlsSocket.Accept(_listener, options);
            serve(socket);
        });
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Ends when <c>serve</c> has; with its exception.</summary>
    public Task Completion { get; }

    /// <summary>Options that leave one suite, one group and one certificate, and offer http/1.1.</summary>
    public static TlsServerOptions Options(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        new(name => name == InteropCases.ServerName ? new TlsCredential(InteropCases.Certificate(certificate)) : null)
        {
            CipherSuites = [suite],
            Groups = [group],
            ApplicationProtocols = [SslApplicationProtocol.Http11],
        };

    /// <summary>Sends back so many bytes, closes, and waits for the peer's close.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="length">The bytes.</param>
    /// <param name="updatesKeys">Whether both sides change their keys behind the first of them.</param>
    public static void Echo(TlsSocket socket, int length, bool updatesKeys = false)
    {
        int done = 0;
        while (done < length)
        {
            byte[] data = socket.Read();
            Assert.NotEmpty(data);
            if (updatesKeys && done == 0)
                socket.Connection.UpdateKeys(requestPeer: true);
            socket.Write(data);
            done += data.Length;
        }
        socket.Close();
        socket.WaitForPeersClose();
    }

    /// <summary>Asserts what was negotiated.</summary>
    public static void AssertNegotiated(TlsConnection connection, TlsCipherSuite suite, TlsNamedGroup group, bool retried)
    {
        Assert.Equal(suite, connection.NegotiatedCipherSuite);
        Assert.Equal(group, connection.NegotiatedGroup);
        Assert.Equal(retried, connection.WasRetried);
        Assert.Equal(SslApplicationProtocol.Http11, connection.ApplicationProtocol);
        Assert.Equal(InteropCases.ServerName, connection.ServerName);
    }

    public void Dispose() => _listener.Dispose();
}
