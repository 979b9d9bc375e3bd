using System.Security.Cryptography;
using CryptoPlane.TestKit;
using VpnBroker.Certificates;
using VpnBroker.Configuration;

namespace VpnBroker.Tests.Certificates;

public sealed class ServerCertificateTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly CertificateConfig _config;

    public ServerCertificateTests() => _config = new CertificateConfig
    {
        CertificateFile = _directory.File("server.crt"),
        KeyFile = _directory.File("server.key"),
        SelfSigned = true,
        Names = ["vpn.test", "192.0.2.1"],
    };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_first_start_makes_one_and_the_next_uses_it()
    {
        using ServerCertificate made = ServerCertificate.Load(_config, TimeProvider.System);
        Assert.True(made.Created);
        Assert.True(made.Certificate.HasPrivateKey);
        Assert.True(made.Certificate.MatchesHostname("vpn.test"));
        Assert.True(made.Certificate.MatchesHostname("192.0.2.1"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_config.KeyFile));
        using ServerCertificate read = ServerCertificate.Load(_config, TimeProvider.System);
        Assert.False(read.Created);
        Assert.Equal(made.Pin, read.Pin);
    }

    [Fact]
    public void The_pin_is_what_openssl_computes()
    {
        string openssl = Requirement.Program("openssl");
        using ServerCertificate certificate = ServerCertificate.Load(_config, TimeProvider.System);
        ProgramResult key = ExternalProgram.Run(openssl, ["x509", "-in", _config.CertificateFile, "-noout", "-pubkey"]);
        using var publicKey = ECDsa.Create();
        publicKey.ImportFromPem(key.Output);
        Assert.Equal("pin-sha256:" + Convert.ToBase64String(SHA256.HashData(publicKey.ExportSubjectPublicKeyInfo())), certificate.Pin);
    }

    [Fact]
    public void Unusable_files_are_refused_with_a_reason()
    {
        Assert.Contains("selfSigned", Assert.Throws<ServerCertificateException>(() => ServerCertificate.Load(_config with { SelfSigned = false }, TimeProvider.System)).Message, StringComparison.Ordinal);
        File.WriteAllText(_config.CertificateFile, "nonsense");
        Assert.Throws<ServerCertificateException>(() => ServerCertificate.Load(_config, TimeProvider.System));
        Assert.False(File.Exists(_config.KeyFile));
    }

    [Fact]
    public void A_key_of_another_certificate_is_refused()
    {
        ServerCertificate.Load(_config, TimeProvider.System).Dispose();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(_config.KeyFile, other.ExportPkcs8PrivateKeyPem());
        Assert.Throws<ServerCertificateException>(() => ServerCertificate.Load(_config, TimeProvider.System));
    }
}
