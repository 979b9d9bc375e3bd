using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Robustness;

/// <summary>What both flights around a HelloRetryRequest have in common (RFC 8446 §4.1.4), and versions (§4.2.1).</summary>
public sealed class RetryTests
{
    [Theory]
    [InlineData(false, TlsAlert.ProtocolVersion)]
    [InlineData(true, TlsAlert.IllegalParameter)]
    public void A_ServerHello_behind_a_retry_keeps_the_version(bool named, TlsAlert alert)
    {
        // RFC 8446 §4.1.4: "The value of selected_version in the HelloRetryRequest "supported_versions" extension MUST be retained in the ServerHello".
        using TlsClient client = Retried(out ScriptedServer server);
        server.AnswerHello(hello => named ? hello.Set(ExtensionType.SupportedVersions, 3, 3) : hello.Remove(ExtensionType.SupportedVersions));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(alert, client.Error!.Alert);
        server.Dispose();
    }

    [Fact]
    public void A_ServerHello_behind_a_retry_keeps_the_group()
    {
        // RFC 8446 §4.2.8: with another group than the retry's, though one that the client supports, illegal_parameter.
        using TlsClient client = Retried(out ScriptedServer server);
        server.AnswerHello(hello => hello.Set(ExtensionType.KeyShare, [0, 29, 0, 32, 9, .. new byte[31]]));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(TlsAlert.IllegalParameter, client.Error!.Alert);
        server.Dispose();
    }

    [Fact]
    public void A_first_ClientHello_has_no_cookie_and_no_early_data()
    {
        // RFC 8446 §4.2.2: "Clients MUST NOT use cookies in their initial ClientHello in subsequent connections."
        using TlsClient client = Retried(out ScriptedServer server);
        Assert.DoesNotContain(HelloBytes.Parse(server.Received[0]).Extensions, extension => extension.Type is ExtensionType.Cookie or ExtensionType.EarlyData);
        server.Dispose();
    }

    [Theory]
    [InlineData(0x0301)]
    [InlineData(0x0302)]
    [InlineData(0x0304)]
    [InlineData(0x7F1C)]
    [InlineData(0xFFFF)]
    public void The_legacy_version_of_a_ClientHello_does_not_count(int version)
    {
        // RFC 8446 §4.2.1: beside supported_versions, servers "MUST NOT use the ClientHello.legacy_version value for version negotiation".
        using var client = new ScriptedClient();
        using var server = new TlsServer(TlsPair.ServerOptions());
        client.Send(client.Hello().With(hello => hello.Version = (ushort)version).ToMessage());
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
    }

    /// <summary>A client that was asked for another group, and has answered.</summary>
    private static TlsClient Retried(out ScriptedServer server)
    {
        var client = new TlsClient(TlsPair.ClientOptions());
        server = new ScriptedServer(new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { Groups = [TlsNamedGroup.Secp256r1] });
        ScriptedPeer.Drive(client, [], out byte[] first);
        server.Feed(first);
        server.AskForRetry(TlsNamedGroup.Secp256r1);
        Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(client, server.Take(), out byte[] second));
        server.Feed(second);
        Assert.True(client.WasRetried);
        return client;
    }
}
