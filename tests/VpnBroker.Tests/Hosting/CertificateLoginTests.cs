using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CryptoPlane.TestKit;
using CryptoPlane.Tls;
using VpnBroker.Control;

namespace VpnBroker.Tests.Hosting;

/// <summary>Users with certificates, over real sockets and TLS: with a password, instead of one, and those who must not come in.</summary>
public sealed class CertificateLoginTests : IDisposable
{
    private const string Init = "<config-auth type=\"init\"/>";
    private const string SecondFactor = "{trustFiles: [users.crt], use: second-factor}", Instead = "{trustFiles: [users.crt], use: instead-of-password}";

    private readonly X509Certificate2 _root = MakeRoot("users"), _otherRoot = MakeRoot("others");
    private readonly List<X509Certificate2> _made = [];
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task Instead_of_a_password_a_certificate_is_enough()
    {
        await using BrokerFixture fixture = await StartAsync(Instead);
        TlsCredential alice = Credential(_root, "CN=alice, O=example");
        using TestClient client = Client(fixture, alice);
        Reply reply = client.Request(TestClient.Post("/", Init));
        Assert.Contains("type=\"complete\"", reply.Body, StringComparison.Ordinal);
        string cookie = Cookie(reply);
        JsonElement login = Assert.Single(fixture.Audit());
        Assert.Equal(("login", "success", "alice"), (login.GetProperty("event").GetString(), login.GetProperty("result").GetString(), login.GetProperty("user").GetString()));

        // The cookie is of use with the certificate only, whoever else has one.
        foreach (TlsCredential? stranger in new[] { null, Credential(_root, "CN=alice"), Credential(_root, "CN=bob") })
        {
            using TestClient thief = Client(fixture, stranger);
            Assert.Equal("HTTP/1.1 401 Unauthorized", thief.Connect(cookie).Status);
            Assert.Equal("cookie-without-its-certificate", fixture.Audit()[^1].GetProperty("reason").GetString());
        }
        using TestClient again = Client(fixture, alice);
        Assert.Equal("HTTP/1.1 200 CONNECTED", again.Connect(cookie).Status);

        // Others log in by password.
        using TestClient without = Client(fixture, null);
        Assert.Contains("name=\"password\"", without.Request(TestClient.Post("/", Init)).Body, StringComparison.Ordinal);
        Assert.NotNull(without.LogIn(BrokerFixture.User, BrokerFixture.Password));
    }

    [Theory]
    [InlineData("CN=mallory", "unknown user of a certificate")]
    [InlineData("O=alice", "the certificate names no user")]
    [InlineData("CN=alice, CN=bob", "the certificate names no user")]
    [InlineData("CN=Alice", "unknown user of a certificate")]
    public async Task A_certificate_of_nobody_gets_the_form(string subject, string reason)
    {
        await using BrokerFixture fixture = await StartAsync(Instead);
        using TestClient client = Client(fixture, Credential(_root, subject));
        Assert.Contains("name=\"password\"", client.Request(TestClient.Post("/", Init)).Body, StringComparison.Ordinal);
        Assert.Equal(reason, Assert.Single(fixture.Audit()).GetProperty("reason").GetString());
        Assert.NotNull(client.LogIn(BrokerFixture.User, BrokerFixture.Password));
    }

    [Fact]
    public async Task As_a_second_factor_certificate_and_password_are_of_one_user()
    {
        await using BrokerFixture fixture = await StartAsync(SecondFactor);
        using (TestClient client = Client(fixture, Credential(_root, "CN=alice")))
        {
            Assert.Contains("name=\"password\"", client.Request(TestClient.Post("/", Init)).Body, StringComparison.Ordinal);
            Assert.Null(client.LogIn(BrokerFixture.User, "wrong"));
            Assert.NotNull(client.LogIn(BrokerFixture.User, BrokerFixture.Password));
        }
        using (TestClient client = Client(fixture, Credential(_root, "CN=bob")))
            Assert.Null(client.LogIn(BrokerFixture.User, BrokerFixture.Password));
        Assert.Equal("another user's certificate", fixture.Audit()[^1].GetProperty("reason").GetString());
        // Nobody comes to the forms without a certificate, or with one of another root: the alert meets the first request.
        foreach (TlsCredential? stranger in new[] { null, Credential(_otherRoot, "CN=alice") })
        {
            using TestClient client = Client(fixture, stranger);
            Assert.Equal("", client.Request(TestClient.Post("/", Init)).Head);
        }
    }

    [Fact]
    public async Task A_reload_changes_the_roots()
    {
        await using BrokerFixture fixture = await StartAsync(Instead);
        TlsCredential alice = Credential(_root, "CN=alice"), other = Credential(_otherRoot, "CN=alice");
        Assert.False(LogsIn(fixture, other));
        await File.WriteAllTextAsync(fixture.UserRoots, _otherRoot.ExportCertificatePem(), TestContext.Current.CancellationToken);
        Assert.Null(ControlClient.Send(fixture.ControlSocket, new ControlRequest("reload")).Error);
        Assert.True(LogsIn(fixture, other));
        Assert.False(LogsIn(fixture, alice));
        await File.WriteAllTextAsync(fixture.UserRoots, "nothing", TestContext.Current.CancellationToken);
        Assert.Contains("users.crt", ControlClient.Send(fixture.ControlSocket, new ControlRequest("reload")).Error, StringComparison.Ordinal);
        Assert.True(LogsIn(fixture, other));
    }

    [Theory]
    [InlineData(Instead)]
    [InlineData(SecondFactor)]
    public async Task Openconnect_logs_in_with_its_certificate_and_connects(string use)
    {
        Requirement.Program("openconnect");
        await using BrokerFixture fixture = await StartAsync(use);
        TlsCredential alice = Credential(_root, "CN=alice");
        await File.WriteAllTextAsync(_directory.File("alice.crt"), alice.Certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        using (ECDsa key = alice.Certificate.GetECDsaPrivateKey()!)
            await File.WriteAllTextAsync(_directory.File("alice.key"), key.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
        string[] arguments =
        [
            "-c", _directory.File("alice.crt"), "-k", _directory.File("alice.key"), "-u", BrokerFixture.User, "--passwd-on-stdin", "--non-inter", "--no-dtls",
            "--servercert", fixture.Broker.Pin!, "--script-tun", "--script", "exec sleep 60", $"https://127.0.0.1:{fixture.Port}/",
        ];
        using (ExternalProgram client = ExternalProgram.Start("openconnect", arguments))
        {
            client.Write(BrokerFixture.Password + "\n");
            client.CloseInput();
            client.WaitForOutput("Configured as");
            Eventually.True(() => fixture.Audit().Any(record => record.GetProperty("event").GetString() == "connect"), "the tunnel in the audit log");
            client.Signal(ExternalProgram.SigInt);
            client.WaitForExit();
        }
        Assert.All(fixture.Audit(), record => Assert.Equal(("alice", "success"), (record.GetProperty("user").GetString(), record.GetProperty("result").GetString())));
        Assert.Single(fixture.Audit(), record => record.GetProperty("event").GetString() == "login");
        if (use == Instead)
            return;
        using ExternalProgram without = ExternalProgram.Start("openconnect", arguments[4..]);
        without.CloseInput();
        Assert.NotEqual(0, without.WaitForExit().ExitCode);
    }

    public void Dispose()
    {
        _made.ForEach(certificate => certificate.Dispose());
        _root.Dispose();
        _otherRoot.Dispose();
        _directory.Dispose();
    }

    private static TestClient Client(BrokerFixture fixture, TlsCredential? credential) => new(fixture.Endpoint, fixture.Broker.Pin!, credential: credential);

    private static bool LogsIn(BrokerFixture fixture, TlsCredential credential)
    {
        using TestClient client = Client(fixture, credential);
        return client.Request(TestClient.Post("/", Init)).Body.Contains("type=\"complete\"", StringComparison.Ordinal);
    }

    private static string Cookie(Reply reply) => reply.Head.Split("webvpn=")[1].Split(';')[0];

    private static X509Certificate2 MakeRoot(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
    }

    private Task<BrokerFixture> StartAsync(string use) =>
        BrokerFixture.StartAsync("limits: {loginTime: 20s, attemptsPerAddress: 1000}", certificates: (use, _root.ExportCertificatePem()));

    private TlsCredential Credential(X509Certificate2 root, string subject)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using X509Certificate2 bare = request.Create(root, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        X509Certificate2 certificate = bare.CopyWithPrivateKey(key);
        _made.Add(certificate);
        return new TlsCredential(certificate);
    }
}
