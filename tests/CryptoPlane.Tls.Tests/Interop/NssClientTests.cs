using System.Net;
using System.Net.Sockets;
using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Our server against <c>tstclnt</c> of NSS.</summary>
public sealed class NssClientTests(NssDatabase nss) : IClassFixture<NssDatabase>
{
    private const string Request = "GET / HTTP/1.0\r\n\r\n";

    public static TheoryData<TlsCipherSuite, TlsNamedGroup, string> Cases => InteropCases.All();

    public static TheoryData<string> Certificates => [.. InteropCases.Certificates];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Data_comes_back_whole(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        await Exchange(suite, certificate, group, group);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_share_of_another_group_is_retried(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        await Exchange(suite, certificate, group, InteropCases.Other(group), group);

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256, false)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384, true)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256, false)]
    public async Task It_resumes_with_our_ticket(TlsCipherSuite suite, bool retry) => await Resume(suite, Server(suite), null, retry);

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256, TlsEarlyDataStatus.Accepted)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384, TlsEarlyDataStatus.Rejected)]
    public async Task Its_early_data_is_taken_or_passed_over(TlsCipherSuite suite, TlsEarlyDataStatus status)
    {
        // As if it had begun long ago: the keys are new, so there is nothing from before that could come again.
        TlsServerOptions options = Server(suite, new TlsEarlyDataPolicy(1000, new TlsReplayGuard(clock: new ManualClock())));
        // The second server has the first one's tickets, and takes no early data.
        await Resume(suite, options, status == TlsEarlyDataStatus.Accepted ? options : Server(suite, ring: options.TicketProtector), false, "-Z", status);
    }

    [Theory]
    [MemberData(nameof(Certificates))]
    public async Task We_accept_its_certificate(string name)
    {
        using var server = new InteropServer(Asking(isDeferred: false), socket =>
        {
            Assert.Equal(InteropCases.Certificate(name).RawData, socket.Connection.RemoteCertificate!.RawData);
            socket.ReadUntil("client is here\n");
            socket.Write("server is here\n"u8);
            socket.Close();
        });
        using ExternalProgram client = nss.StartClient(server.Port, [TlsNamedGroup.X25519], name);
        client.Write("client is here\n");
        client.WaitForOutput("server is here");
        await server.Completion;
    }

    [Fact]
    public async Task We_get_its_certificate_behind_the_handshake()
    {
        using var server = new InteropServer(Asking(isDeferred: true), socket =>
        {
            socket.ReadUntil("client is here\n");
            Assert.True(((TlsServer)socket.Connection).TryRequestCertificate());
            socket.Write("server asked\n"u8);
            socket.ReadUntil("client answered\n");
            Assert.Equal(InteropCases.Certificate("p384").RawData, socket.Connection.RemoteCertificate!.RawData);
            socket.Close();
        });
        using ExternalProgram client = nss.StartClient(server.Port, [TlsNamedGroup.X25519], "p384", "-E");
        client.Write("client is here\n");
        client.WaitForOutput("server asked");
        client.Write("client answered\n");
        await server.Completion;
    }

    [Fact]
    public async Task Keys_are_updated_when_we_ask()
    {
        using var server = new InteropServer(InteropServer.Options(TlsCipherSuite.Aes256GcmSha384, TlsNamedGroup.X25519, "p256"), socket =>
        {
            for (uint round = 1; round <= 2; round++)
            {
                socket.ReadUntil("client is here\n");
                socket.Connection.UpdateKeys(requestPeer: true);
                socket.Write(Encoding.ASCII.GetBytes($"server asked {round}\n"));
                socket.ReadUntil("client answers\n");
                Assert.Equal((round, round), (socket.Connection.KeyUpdatesSent, socket.Connection.KeyUpdatesReceived));
                socket.Write(Encoding.ASCII.GetBytes($"both are done {round}\n"));
            }
            socket.Close();
        });
        using ExternalProgram client = nss.StartClient(server.Port, [TlsNamedGroup.X25519]);
        for (int round = 1; round <= 2; round++)
        {
            client.Write("client is here\n");
            client.WaitForOutput($"server asked {round}");
            client.Write("client answers\n");
            client.WaitForOutput($"both are done {round}");
        }
        await server.Completion;
    }

    private async Task Exchange(TlsCipherSuite suite, string certificate, TlsNamedGroup group, params TlsNamedGroup[] offered)
    {
        TlsServerOptions options = InteropServer.Options(suite, group, certificate);
        using var server = new InteropServer(options, socket =>
        {
            Assert.Equal((suite, group), (socket.Connection.NegotiatedCipherSuite, socket.Connection.NegotiatedGroup));
            Assert.Equal((offered.Length > 1, InteropCases.ServerName), (socket.Connection.WasRetried, socket.Connection.ServerName));
            socket.Write(socket.ReadExactly(nss.Files.Data.Length));
            socket.Close();
        });
        using ExternalProgram client = nss.StartClient(server.Port, offered, null, "-A", nss.Files.DataFile);
        await server.Completion;
        Assert.Equal(nss.Files.Text, client.WaitForExit().EnsureSuccess().Output);
    }

    /// <summary>Lets it connect twice.</summary>
    private async Task Resume(
        TlsCipherSuite suite, TlsServerOptions first, TlsServerOptions? second, bool retry, string more = "-u", TlsEarlyDataStatus earlyData = TlsEarlyDataStatus.None)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string request = nss.Files.NewFile();
        File.WriteAllText(request, Request);
        Task serving = Task.Run(() =>
        {
            foreach (bool resumed in (bool[])[false, true])
            {
                using TlsSocket socket = TlsSocket.Accept(listener, resumed ? second ?? first : first);
                Assert.Equal((resumed, retry), (socket.Connection.IsResumed, socket.Connection.WasRetried));
                Assert.Equal(resumed ? earlyData : TlsEarlyDataStatus.None, socket.Connection.EarlyDataStatus);
                string early = Encoding.ASCII.GetString([.. socket.EarlyData]);
                // Where our Finished is quicker than its first write, there is no early data although it could be.
                if (early.Length == 0)
                    early = socket.ReadUntil(Request);
                Assert.Equal(Request, early);
                socket.Write(Encoding.ASCII.GetBytes(resumed ? "second answer\n" : "first answer\n"));
                socket.Close();
            }
        }, TestContext.Current.CancellationToken);
        TlsNamedGroup[] groups = retry ? [TlsNamedGroup.Secp384r1, TlsNamedGroup.X25519] : [TlsNamedGroup.X25519];
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using ExternalProgram client = nss.StartClient(port, groups, null, "-A", request, "-L", "2", more);
        await serving;
        Assert.Equal("first answer\nsecond answer\n", client.WaitForExit().EnsureSuccess().Output);
    }

    private static TlsServerOptions Server(TlsCipherSuite suite, TlsEarlyDataPolicy? policy = null, ITlsTicketProtector? ring = null) =>
        new(new TlsCredential(TestCertificates.EcdsaP256))
        {
            CipherSuites = [suite],
            Groups = [TlsNamedGroup.X25519],
            TicketProtector = ring ?? new TlsTicketKeyRing(),
            DangerousAcceptEarlyData = policy,
        };

    private static TlsServerOptions Asking(bool isDeferred) => new(new TlsCredential(TestCertificates.EcdsaP256))
    {
        ClientAuthentication = new TlsClientAuthentication([TestCertificates.Root]) { IsDeferred = isDeferred },
    };
}
