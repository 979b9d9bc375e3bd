using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Streams.Tests.Support;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Streams.Tests;

/// <summary>Options of the framework: what is taken from them, and what is refused.</summary>
[SupportedOSPlatform("linux")]
public sealed class SslOptionsTests
{
    [Fact]
    public async Task Options_of_the_framework_serve_on_both_sides()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var client = new CryptoPlaneSslStream(tcp.Client);
        await using var server = new CryptoPlaneSslStream(tcp.Server);
        SslClientAuthenticationOptions options = StreamPair.FrameworkClientOptions;
        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        options.CipherSuitesPolicy = new CipherSuitesPolicy(
            [System.Net.Security.TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, System.Net.Security.TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256]);
        options.EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        await Task.WhenAll(
            client.AuthenticateAsClientAsync(options, StreamPair.Token),
            server.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = SslStreamCertificateContext.Create(TestCertificates.Rsa2048, [], offline: true),
                    ApplicationProtocols = [SslApplicationProtocol.Http2],
                },
                StreamPair.Token));
        Assert.Equal(System.Net.Security.TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, client.NegotiatedCipherSuite);
        Assert.Equal(SslApplicationProtocol.Http2, server.NegotiatedApplicationProtocol);
        Assert.Equal(TestCertificates.Rsa2048.GetCertHashString(), client.RemoteCertificate?.GetCertHashString());
    }

    [Fact]
    public async Task A_client_shows_the_certificate_that_its_options_have()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = TestCertificates.Issue(key, HashAlgorithmName.SHA256, "client.example", usage: "1.3.6.1.5.5.7.3.2");
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(TestCertificates.Root);
        var serverOptions = new SslServerAuthenticationOptions
        {
            ServerCertificate = TestCertificates.EcdsaP256,
            ClientCertificateRequired = true,
            CertificateChainPolicy = policy,
        };
        foreach (bool inContext in (bool[])[true, false])
        {
            await using StreamPair tcp = await StreamPair.ConnectAsync();
            await using var client = new CryptoPlaneSslStream(tcp.Client);
            await using var server = new CryptoPlaneSslStream(tcp.Server);
            SslClientAuthenticationOptions options = StreamPair.FrameworkClientOptions;
            if (inContext)
                options.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, [], offline: true);
            else
                options.ClientCertificates = [certificate];
            await Task.WhenAll(client.AuthenticateAsClientAsync(options, StreamPair.Token), server.AuthenticateAsServerAsync(serverOptions, StreamPair.Token));
            Assert.Equal(certificate.GetCertHashString(), server.RemoteCertificate?.GetCertHashString());
            Assert.True(server.IsMutuallyAuthenticated);
        }
    }

    [Fact]
    public void A_callback_chooses_the_certificate_and_each_is_made_ready_once()
    {
        TlsServerOptions options = SslOptions.ToTlsOptions(new SslServerAuthenticationOptions
        {
            ServerCertificateSelectionCallback = (_, name) => name == "known.example" ? TestCertificates.EcdsaP384 : null!,
        });
        Assert.Same(TestCertificates.EcdsaP384, options.CertificateSelector("known.example")?.Certificate);
        Assert.Same(options.CertificateSelector("known.example"), options.CertificateSelector("known.example"));
        Assert.Null(options.CertificateSelector("unknown.example"));
    }

    [Fact]
    public void Without_RSA_PSS_there_is_ECDSA()
    {
        TlsServerOptions options = SslOptions.ToTlsOptions(new SslServerAuthenticationOptions { ServerCertificate = TestCertificates.EcdsaP256, AllowRsaPssPadding = false });
        Assert.Contains(TlsSignatureScheme.EcdsaSecp256r1Sha256, options.SignatureSchemes);
        Assert.DoesNotContain(options.SignatureSchemes, scheme => scheme.ToString().StartsWith("Rsa", StringComparison.Ordinal));
    }

    [Fact]
    public void A_server_that_cannot_be_had_is_refused_by_name()
    {
        Refused("EnabledSslProtocols", new SslServerAuthenticationOptions { ServerCertificate = TestCertificates.EcdsaP256, EnabledSslProtocols = SslProtocols.Tls12 });
        Refused("CipherSuitesPolicy", new SslServerAuthenticationOptions
        {
            ServerCertificate = TestCertificates.EcdsaP256,
            CipherSuitesPolicy = new CipherSuitesPolicy([System.Net.Security.TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]),
        });
        Refused("ClientCertificateRequired", new SslServerAuthenticationOptions { ServerCertificate = TestCertificates.EcdsaP256, ClientCertificateRequired = true });
        Refused("RemoteCertificateValidationCallback", new SslServerAuthenticationOptions
        {
            ServerCertificate = TestCertificates.EcdsaP256,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        });
        Assert.Throws<ArgumentException>(() => SslOptions.ToTlsOptions(new SslServerAuthenticationOptions()));
        Assert.Throws<ArgumentException>(() => SslOptions.ToTlsOptions(new SslServerAuthenticationOptions
        {
            ServerCertificate = X509CertificateLoader.LoadCertificate(TestCertificates.EcdsaP256.RawData),
        }));

        static void Refused(string name, SslServerAuthenticationOptions options) =>
            Assert.Contains(name, Assert.Throws<NotSupportedException>(() => SslOptions.ToTlsOptions(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_cannot_be_had_is_refused_by_name()
    {
        Refused("EnabledSslProtocols", options => options.EnabledSslProtocols = SslProtocols.Tls12);
        Refused("RemoteCertificateValidationCallback", options => options.RemoteCertificateValidationCallback = (_, _, _, _) => true);
        Refused("CertificateChainPolicy.VerificationFlags", options => options.CertificateChainPolicy!.VerificationFlags = X509VerificationFlags.AllFlags);
        Refused("AllowRsaPkcs1Padding", options => options.AllowRsaPkcs1Padding = false);
        Assert.Throws<ArgumentException>(() => SslOptions.ToTlsOptions(new SslClientAuthenticationOptions { TargetHost = "" }));

        static void Refused(string name, Action<SslClientAuthenticationOptions> change)
        {
            SslClientAuthenticationOptions options = StreamPair.FrameworkClientOptions;
            change(options);
            Assert.Contains(name, Assert.Throws<NotSupportedException>(() => SslOptions.ToTlsOptions(options)).Message, StringComparison.Ordinal);
        }
    }
}
