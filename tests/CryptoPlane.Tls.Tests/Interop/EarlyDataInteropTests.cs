using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Early data with OpenSSL and GnuTLS, on either side, accepted and rejected.</summary>
public sealed class EarlyDataInteropTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    private const string Early = "early hello\n";

    public static TheoryData<TlsCipherSuite, bool> Cases => new()
    {
        { TlsCipherSuite.Aes128GcmSha256, true },
        { TlsCipherSuite.Aes256GcmSha384, true },
        { TlsCipherSuite.ChaCha20Poly1305Sha256, false },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task OpenSsls_early_data_is_taken_or_passed_over(TlsCipherSuite suite, bool accepted)
    {
        string session = files.NewFile(), early = files.NewFile();
        File.WriteAllText(early, Early);
        TlsServerOptions options = Server(suite, accepts: true), later = accepted ? options : Server(suite, accepts: false, (TlsTicketKeyRing)options.TicketProtector!);
        foreach (bool resumed in new[] { false, true })
        {
            using var server = new InteropServer(resumed ? later : options, socket =>
            {
                Assert.Equal(resumed, socket.Connection.IsResumed);
                Assert.Equal(resumed ? accepted ? TlsEarlyDataStatus.Accepted : TlsEarlyDataStatus.Rejected : TlsEarlyDataStatus.None, socket.Connection.EarlyDataStatus);
                Assert.Equal(resumed && accepted ? Early : "", Encoding.ASCII.GetString([.. socket.EarlyData]));
                socket.ReadUntil("hello\n");
                socket.Write("welcome\n"u8);
                socket.Close();
            });
            using ExternalProgram client = ExternalProgram.Start(Requirement.Program("openssl"),
            [
                "s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_3", "-groups", "X25519", "-CAfile", files.Root, "-servername", InteropCases.ServerName,
                .. resumed ? (string[])["-sess_in", session, "-early_data", early] : ["-sess_out", session],
            ]);
            client.Write("hello\n");
            client.WaitForOutput("welcome");
            await server.Completion;
            client.CloseInput();
            string output = client.WaitForExit().Output;
            if (resumed)
                Assert.Contains(accepted ? "Early data was accepted" : "Early data was rejected", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void OpenSsl_takes_our_early_data_or_passes_over_it(TlsCipherSuite suite, bool accepted)
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("openssl"),
        [
            "s_server", "-accept", $"127.0.0.1:{port}", "-naccept", "2", "-tls1_3", "-ciphersuites", InteropCases.OpenSslSuite(suite), "-groups", "X25519",
            "-early_data", "-cert", files.CertificateOf("p256"), "-key", files.KeyOf("p256"),
        ]);
        TlsSession? session = null;
        for (int i = 0; i < 2; i++)
        {
            // A share of another group makes a HelloRetryRequest, with which early data is rejected.
            using TlsSocket socket = TlsSocket.Connect(port, Client(suite, session, retry: i == 1 && !accepted), Encoding.ASCII.GetBytes(Early));
            Assert.Equal(i == 0 ? TlsEarlyDataStatus.None : accepted ? TlsEarlyDataStatus.Accepted : TlsEarlyDataStatus.Rejected, socket.Connection.EarlyDataStatus);
            socket.Write("hello\n"u8);
            server.WaitForOutput("hello");
            server.Write("welcome\n");
            socket.ReadUntil("welcome");
            session?.Dispose();
            Assert.True(((TlsClient)socket.Connection).TryTakeSession(out session));
            Assert.NotEqual(0, session.MaxEarlyData);
            socket.Close();
        }
        session!.Dispose();
        Assert.Equal(accepted, server.WaitForExit().AllOutput.Contains("early hello", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GnuTls_early_data_is_taken_or_passed_over(bool accepted)
    {
        string early = files.NewFile();
        File.WriteAllText(early, Early);
        TlsServerOptions options = Server(TlsCipherSuite.Aes128GcmSha256, accepts: true);
        TlsServerOptions later = accepted ? options : Server(TlsCipherSuite.Aes128GcmSha256, accepts: false, (TlsTicketKeyRing)options.TicketProtector!);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(() =>
        {
            using (TlsSocket first = TlsSocket.Accept(listener, options))
            {
                first.WaitForPeersClose();
                first.Close();
            }
            using TlsSocket second = TlsSocket.Accept(listener, later);
            Assert.True(second.Connection.IsResumed);
            Assert.Equal(accepted ? TlsEarlyDataStatus.Accepted : TlsEarlyDataStatus.Rejected, second.Connection.EarlyDataStatus);
            Assert.Equal(accepted ? Early : "", Encoding.ASCII.GetString([.. second.EarlyData]));
            second.ReadUntil("hello\n");
            second.Write("welcome\n"u8);
            second.Close();
        }, TestContext.Current.CancellationToken);
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("gnutls-cli", "gnutls-bin"),
        [
            "--port", ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture), "--resume", "--waitresumption", "--earlydata", early,
            "--priority", InteropCases.GnuTlsPriority(TlsCipherSuite.Aes128GcmSha256, TlsNamedGroup.X25519), "--x509cafile", files.Root,
            "--sni-hostname", InteropCases.ServerName, "--verify-hostname", InteropCases.ServerName, "127.0.0.1",
        ]);
        client.WaitForOutput("This is a resumed session");
        client.Write("hello\n");
        client.WaitForOutput("welcome");
        await serving;
        client.CloseInput();
        client.WaitForExit();
    }

    [Fact]
    public void GnuTls_takes_our_early_data_and_passes_over_it_where_the_clocks_differ()
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("gnutls-serv", "gnutls-bin"),
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--echo", "--earlydata", "--maxearlydata", "1000",
            "--priority", InteropCases.GnuTlsPriority(TlsCipherSuite.Aes128GcmSha256, TlsNamedGroup.X25519),
            "--x509certfile", files.CertificateOf("p256"), "--x509keyfile", files.KeyOf("p256"),
        ]);
        var clock = new FastClock();
        TlsSession? session = null;
        TlsEarlyDataStatus[] expected = [TlsEarlyDataStatus.None, TlsEarlyDataStatus.Accepted, TlsEarlyDataStatus.Rejected];
        for (int i = 0; i < expected.Length; i++)
        {
            // A minute in which the server's clock stands still: to it, the ClientHello could be an old one that somebody has kept back.
            clock.Ahead = i == 2 ? TimeSpan.FromMinutes(1) : default;
            TlsClientOptions options = Client(TlsCipherSuite.Aes128GcmSha256, session, clock: clock);
            using TlsSocket socket = TlsSocket.Connect(port, options, Encoding.ASCII.GetBytes(Early));
            Assert.Equal((expected[i], i > 0), (socket.Connection.EarlyDataStatus, socket.Connection.IsResumed));
            socket.Write("hello\n"u8);
            socket.ReadUntil("hello\n");
            session?.Dispose();
            Assert.True(((TlsClient)socket.Connection).TryTakeSession(out session));
            socket.Close();
        }
        session!.Dispose();
    }

    private static TlsServerOptions Server(TlsCipherSuite suite, bool accepts, TlsTicketKeyRing? ring = null) => new(new TlsCredential(TestCertificates.EcdsaP256))
    {
        CipherSuites = [suite],
        Groups = [TlsNamedGroup.X25519],
        TicketProtector = ring ?? new TlsTicketKeyRing(),
        // As if it had begun long ago: the keys are new, so there is nothing from before that could come again.
        DangerousAcceptEarlyData = accepts ? new TlsEarlyDataPolicy(1000, new TlsReplayGuard(clock: new ManualClock())) : null,
    };

    private static TlsClientOptions Client(TlsCipherSuite suite, TlsSession? session, bool retry = false, TimeProvider? clock = null) => new(InteropCases.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        CipherSuites = [suite],
        Groups = retry ? [TlsNamedGroup.Secp384r1, TlsNamedGroup.X25519] : [TlsNamedGroup.X25519],
        KeepSessions = true,
        DangerousSendEarlyData = true,
        Session = session,
        TimeProvider = clock ?? TimeProvider.System,
    };

    /// <summary>The system's clock, some time ahead.</summary>
    private sealed class FastClock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override long GetTimestamp() => System.GetTimestamp() + (long)(Ahead.TotalSeconds * TimestampFrequency);
    }
}
