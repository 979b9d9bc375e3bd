using System.Net.Sockets;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.AspNetCore.Tests.Support;
using CryptoPlane.Tls.Streams;

namespace CryptoPlane.Tls.AspNetCore.Tests;

/// <summary>Clients that go away at every stage: the server goes on, and an operator has nothing to look at.</summary>
public sealed class AbruptEndTests
{
    [Fact]
    public async Task Clients_that_go_away_leave_nothing_in_the_log()
    {
        await using TestServer server = await TestServer.StartAsync();
        for (int round = 0; round < 5; round++)
        {
            bool reset = round % 2 == 0;
            // Before a byte, within the ClientHello, and behind a handshake.
            await using (NetworkStream nothing = await server.ConnectAsync())
                End(nothing, reset);
            await using (NetworkStream hello = await server.ConnectAsync())
            {
                await hello.WriteAsync(new byte[] { 22, 3, 1, 2, 0, 1, 0, 1, 252 }, TestServer.Token);
                End(hello, reset);
            }
            await AbandonAsync(server, reset, ""u8.ToArray(), read: 0);
            // Within the headers, within a body, with a download under way, and behind an answer.
            await AbandonAsync(server, reset, "GET / HTTP/1.1\r\nHost"u8.ToArray(), read: 0);
            await AbandonAsync(server, reset, "POST /upload HTTP/1.1\r\nHost: server.example\r\nContent-Length: 1000\r\n\r\npart"u8.ToArray(), read: 0);
            await AbandonAsync(server, reset, "GET /download?bytes=50000000 HTTP/1.1\r\nHost: server.example\r\n\r\n"u8.ToArray(), read: 100_000);
            await AbandonAsync(server, reset, "GET /connection HTTP/1.1\r\nHost: server.example\r\n\r\n"u8.ToArray(), read: 100);
        }
        // What is no record, behind a handshake.
        await using (NetworkStream tcp = await server.ConnectAsync())
        {
            await using var stream = new CryptoPlaneSslStream(tcp, leaveInnerStreamOpen: true);
            await stream.AuthenticateAsClientAsync(TestServer.ClientOptions, TestServer.Token);
            await tcp.WriteAsync("this is no record of TLS"u8.ToArray(), TestServer.Token);
            await Assert.ThrowsAnyAsync<IOException>(async () =>
            {
                while (await stream.ReadAsync(new byte[100], TestServer.Token) > 0)
                {
                    // Until the alert.
                }
            });
        }

        await using (CryptoPlaneSslStream last = await server.OpenAsync())
            await TestServer.AskAsync(last);
        Eventually.True(() => server.Log.Contains("was lost during its handshake"), "the lost handshakes in the log");
        await server.DisposeAsync();
        Assert.True(server.Log.Complaints.Count == 0, string.Join("\n", server.Log.Complaints));
    }

    private static async Task AbandonAsync(TestServer server, bool reset, byte[] request, int read)
    {
        await using NetworkStream tcp = await server.ConnectAsync();
        await using var stream = new CryptoPlaneSslStream(tcp, leaveInnerStreamOpen: true);
        await stream.AuthenticateAsClientAsync(TestServer.ClientOptions, TestServer.Token);
        await stream.WriteAsync(request, TestServer.Token);
        await stream.ReadExactlyAsync(new byte[read], TestServer.Token);
        End(tcp, reset);
    }

    /// <summary>Ends a connection without close_notify: with RST, or with FIN.</summary>
    private static void End(NetworkStream tcp, bool reset)
    {
        if (reset)
            tcp.Socket.LingerState = new LingerOption(true, 0);
        tcp.Socket.Close();
    }
}
