using CryptoPlane.TestKit;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Our server against <c>openssl s_client</c>.</summary>
public sealed class OpenSslClientTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    private const string ExporterLabel = "EXPORTER-cryptoplane-interop";

    public static TheoryData<TlsCipherSuite, TlsNamedGroup, string> Cases => InteropCases.All();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Data_comes_back_whole_and_both_sides_close(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        await Exchange(suite, group, certificate, InteropCases.OpenSslGroup(group), retried: false);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_share_of_another_group_is_retried(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        await Exchange(suite, group, certificate, $"{InteropCases.OpenSslGroup(InteropCases.Other(group))}:{InteropCases.OpenSslGroup(group)}", retried: true);

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256)]
    public async Task Keys_are_updated_by_either_side(TlsCipherSuite suite)
    {
        using var server = new InteropServer(InteropServer.Options(suite, TlsNamedGroup.X25519, "p256"), socket =>
        {
            // The client says when it has done something; the server answers, and so each line is under the keys that it should be under.
            socket.ReadUntil("alone\n");
            socket.Write("server saw alone\n"u8);
            socket.ReadUntil("both\n");
            socket.Write("server saw both\n"u8);
            socket.Connection.UpdateKeys(requestPeer: true);
            socket.Write("server updated\n"u8);
            socket.ReadUntil("last\n");
            Assert.Equal(3u, socket.Connection.KeyUpdatesReceived);
            Assert.Equal(2u, socket.Connection.KeyUpdatesSent);
            socket.Close();
            socket.WaitForPeersClose();
        });
        using ExternalProgram client = Start(server.Port, suite, "X25519");
        client.Write("k\n");
        client.WaitForOutput("KEYUPDATE");
        client.Write("alone\n");
        client.WaitForOutput("server saw alone");
        client.Write("K\n");
        Eventually.True(() => client.AllOutput.Split("KEYUPDATE").Length > 2, "the second KEYUPDATE of s_client");
        client.Write("both\n");
        client.WaitForOutput("server updated");
        client.Write("last\n");
        await server.Completion;
        Assert.Equal(0, client.WaitForExit().ExitCode);
    }

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384)]
    public async Task Both_sides_export_the_same_keying_material(TlsCipherSuite suite)
    {
        byte[] exported = new byte[50];
        using var server = new InteropServer(InteropServer.Options(suite, TlsNamedGroup.Secp256r1, "rsa"), socket =>
        {
            socket.Connection.ExportKeyingMaterial(ExporterLabel, [], exported);
            socket.Close();
            socket.WaitForPeersClose();
        });
        using ExternalProgram client = Start(server.Port, suite, "P-256", "-keymatexport", ExporterLabel, "-keymatexportlen", "50");
        await server.Completion;
        Assert.Contains("Keying material: " + Convert.ToHexString(exported), client.WaitForExit().AllOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_a_common_group_is_refused_with_handshake_failure()
    {
        using var server = new InteropServer(InteropServer.Options(TlsCipherSuite.Aes128GcmSha256, TlsNamedGroup.X25519, "p256"), _ => Assert.Fail("There is no common group."));
        using ExternalProgram client = Start(server.Port, TlsCipherSuite.Aes128GcmSha256, "P-384");
        InvalidOperationException refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => server.Completion);
        Assert.Contains(nameof(TlsAlert.HandshakeFailure), refusal.Message, StringComparison.Ordinal);
        Assert.Contains("alert handshake failure", client.WaitForExit().AllOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_refuses_our_certificate_is_understood()
    {
        using var server = new InteropServer(InteropServer.Options(TlsCipherSuite.Aes128GcmSha256, TlsNamedGroup.X25519, "p256"), _ => Assert.Fail("The client does not trust us."));
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("openssl"), ["s_client", "-connect", $"127.0.0.1:{server.Port}",
            "-tls1_3", "-servername", InteropCases.ServerName, "-CAfile", files.CertificateOf("p384"), "-verify_return_error"]);
        InvalidOperationException refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => server.Completion);
        Assert.Contains(nameof(TlsErrorKind.PeerAlerted), refusal.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(TlsAlert.UnknownCa), refusal.Message, StringComparison.Ordinal);
        client.WaitForExit();
    }

    private async Task Exchange(TlsCipherSuite suite, TlsNamedGroup group, string certificate, string clientGroups, bool retried)
    {
        using var server = new InteropServer(InteropServer.Options(suite, group, certificate), socket =>
        {
            InteropServer.AssertNegotiated(socket.Connection, suite, group, retried);
            InteropServer.Echo(socket, files.Data.Length);
        });
        using ExternalProgram client = Start(server.Port, suite, clientGroups, "-quiet");
        client.Write(files.Text);
        client.CloseInput();
        await server.Completion;
        ProgramResult result = client.WaitForExit().EnsureSuccess();
        Assert.Equal(files.Text, result.Output);
    }

    private ExternalProgram Start(int port, TlsCipherSuite suite, string groups, params string[] more) =>
        ExternalProgram.Start(Requirement.Program("openssl"),
        [
            "s_client", "-connect", $"127.0.0.1:{port}", "-tls1_3", "-ciphersuites", InteropCases.OpenSslSuite(suite), "-groups", groups,
            "-servername", InteropCases.ServerName, "-verify_hostname", InteropCases.ServerName, "-CAfile", files.Root, "-verify_return_error",
            "-alpn", "h2,http/1.1", .. more,
        ]);
}
