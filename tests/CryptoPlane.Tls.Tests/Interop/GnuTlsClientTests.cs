using CryptoPlane.TestKit;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Our server against <c>gnutls-cli</c>, which is what openconnect's TLS is made of.</summary>
public sealed class GnuTlsClientTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    public static TheoryData<TlsCipherSuite, TlsNamedGroup, string> Cases => InteropCases.All();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Data_comes_back_whole_and_both_sides_close(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        await Exchange(suite, group, certificate, retried: false, group);

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256, TlsNamedGroup.Secp384r1, TlsNamedGroup.Secp256r1)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384, TlsNamedGroup.Secp256r1, TlsNamedGroup.Secp384r1)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256, TlsNamedGroup.Secp384r1, TlsNamedGroup.Secp256r1)]
    public async Task A_share_of_another_group_is_retried(TlsCipherSuite suite, TlsNamedGroup group, TlsNamedGroup firstOffer)
    {
        // GnuTLS sends a share of the first group of each kind (NIST, X25519), so only NIST curves can be made to miss.
        TlsNamedGroup third = InteropCases.Groups.Single(candidate => candidate != group && candidate != firstOffer);
        await Exchange(suite, group, "p256", retried: true, firstOffer, third, group);
    }

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256)]
    public async Task Keys_are_updated_by_either_side(TlsCipherSuite suite)
    {
        using var server = new InteropServer(InteropServer.Options(suite, TlsNamedGroup.X25519, "p256"), socket =>
        {
            socket.ReadUntil("first\n");
            socket.Write("server saw first\n"u8);
            socket.ReadUntil("second\n");
            Assert.Equal(1u, socket.Connection.KeyUpdatesReceived);
            socket.Connection.UpdateKeys(requestPeer: true);
            socket.Write("server updated\n"u8);
            socket.ReadUntil("third\n");
            Assert.Equal(2u, socket.Connection.KeyUpdatesReceived);
            socket.Write("server saw third\n"u8);
            socket.WaitForPeersClose();
            socket.Close();
        });
        using ExternalProgram client = Start(server.Port, suite, files.NewFile(), [TlsNamedGroup.X25519], "--inline-commands");
        client.Write("first\n");
        client.WaitForOutput("server saw first");
        client.Write("^rekey^\n");
        client.Write("second\n");
        client.WaitForOutput("server updated");
        client.Write("third\n");
        client.WaitForOutput("server saw third");
        client.CloseInput();
        await server.Completion;
        client.WaitForExit().EnsureSuccess();
    }

    [Fact]
    public async Task Records_are_no_longer_than_the_client_wants()
    {
        using var server = new InteropServer(InteropServer.Options(TlsCipherSuite.Aes128GcmSha256, TlsNamedGroup.X25519, "p256"), socket =>
        {
            Assert.Equal(600, socket.Connection.MaxWriteSize);
            // gnutls-cli sends of each piece that it reads one record, and forgets the rest.
            socket.ReadUntil("hello\n");
            socket.Write(files.Data);
            socket.WaitForPeersClose();
            socket.Close();
        });
        using ExternalProgram client = Start(server.Port, TlsCipherSuite.Aes128GcmSha256, files.NewFile(), [TlsNamedGroup.X25519], "--recordsize", "600");
        client.Write("hello\n");
        Eventually.True(() => client.Output.Length >= files.Text.Length || server.Completion.IsCompleted, "the data", TimeSpan.FromSeconds(60));
        client.CloseInput();
        await server.Completion;
        Assert.Equal(files.Text, client.WaitForExit().EnsureSuccess().Output);
    }

    private async Task Exchange(TlsCipherSuite suite, TlsNamedGroup group, string certificate, bool retried, params TlsNamedGroup[] clientGroups)
    {
        using var server = new InteropServer(InteropServer.Options(suite, group, certificate), socket =>
        {
            InteropServer.AssertNegotiated(socket.Connection, suite, group, retried);
            socket.Write(socket.ReadExactly(files.Data.Length));
            // gnutls-cli sends a close_notify at the end of its input, and none in answer to ours.
            socket.WaitForPeersClose();
            socket.Close();
        });
        using ExternalProgram client = Start(server.Port, suite, files.NewFile(), clientGroups);
        client.Write(files.Text);
        Eventually.True(() => client.Output.Length >= files.Text.Length || server.Completion.IsCompleted, "the echo", TimeSpan.FromSeconds(60));
        client.CloseInput();
        await server.Completion;
        Assert.Equal(files.Text, client.WaitForExit().EnsureSuccess().Output);
    }

    private ExternalProgram Start(int port, TlsCipherSuite suite, string log, TlsNamedGroup[] groups, params string[] more) =>
        ExternalProgram.Start(Requirement.Program("gnutls-cli", "gnutls-bin"),
        [
            "--port", port.ToString(System.Globalization.CultureInfo.InvariantCulture), "--priority", InteropCases.GnuTlsPriority(suite, groups),
            "--sni-hostname", InteropCases.ServerName, "--verify-hostname", InteropCases.ServerName, "--x509cafile", files.Root,
            "--alpn", "http/1.1", "--logfile", log, .. more, "127.0.0.1",
        ]);
}
