using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.AspNetCore.Tests.Support;
using CryptoPlane.Tls.Streams;
using CryptoPlane.Tls.Tests.Support;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace CryptoPlane.Tls.AspNetCore.Tests;

/// <summary>What an endpoint does by itself: certificates by name, tickets, client certificates, handshakes that fail, what it counts.</summary>
public sealed class TlsTests
{
    [Fact]
    public async Task Certificates_are_chosen_by_name_and_unknown_names_are_refused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 other = TestCertificates.Issue(key, HashAlgorithmName.SHA256, "other.example");
        TlsCredential first = new(TestCertificates.EcdsaP384), second = new(other);
        await using TestServer server = await TestServer.StartAsync(endpoint => endpoint.UseCryptoPlaneTls(tls =>
            tls.CertificateSelector = name => name switch
            {
                TestCertificates.ServerName => first,
                "other.example" => second,
                _ => null,
            }));
        foreach (string name in (string[])[TestCertificates.ServerName, "other.example"])
        {
            await using CryptoPlaneSslStream stream = await server.OpenAsync(new TlsClientOptions(name) { TrustedRoots = [TestCertificates.Root] });
            Assert.Equal(name, (await TestServer.AskAsync(stream)).GetProperty("serverName").GetString());
        }
        await Assert.ThrowsAsync<AuthenticationException>(() => server.OpenAsync(new TlsClientOptions("third.example") { TrustedRoots = [TestCertificates.Root] }));
        Eventually.True(() => server.Log.Contains("UnrecognizedName"), "the refusal in the log");
        Assert.Empty(server.Log.Complaints);
    }

    [Fact]
    public async Task A_connection_is_resumed()
    {
        await using TestServer server = await TestServer.StartAsync();
        TlsSession? session;
        await using (CryptoPlaneSslStream first = await server.OpenAsync(
            new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], KeepSessions = true }))
        {
            Assert.False((await TestServer.AskAsync(first)).GetProperty("resumed").GetBoolean());
            Assert.True(first.TryTakeSession(out session));
        }
        using (session)
        {
            await using CryptoPlaneSslStream second = await server.OpenAsync(
                new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], Session = session });
            Assert.True((await TestServer.AskAsync(second)).GetProperty("resumed").GetBoolean());
        }
    }

    [Fact]
    public async Task A_clients_certificate_reaches_the_application()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = TestCertificates.Issue(key, HashAlgorithmName.SHA256, "client.example", usage: "1.3.6.1.5.5.7.3.2");
        string? seen = null;
        await using TestServer server = await TestServer.StartAsync(endpoint =>
        {
            endpoint.UseCryptoPlaneTls(tls =>
            {
                tls.ServerOptions = new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256))
                {
                    ClientAuthentication = new TlsClientAuthentication([TestCertificates.Root]) { ApplicationDecides = true },
                };
                tls.ClientCertificateDecision = (decision, _) =>
                {
                    if (decision.Certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false) == "client.example")
                        decision.Accept();
                    return Task.CompletedTask;
                };
            });
            endpoint.Use(next => context =>
            {
                seen = context.Features.Get<ITlsConnectionFeature>()?.ClientCertificate?.Subject;
                return next(context);
            });
        });
        await using CryptoPlaneSslStream stream = await server.OpenAsync(
            new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], Credentials = [new TlsCredential(certificate)] });
        await TestServer.AskAsync(stream);
        Assert.Equal("CN=client.example", seen);

        // One that the application does not accept, and none at all: the client learns of it when it reads.
        using X509Certificate2 stranger = TestCertificates.Issue(key, HashAlgorithmName.SHA256, "stranger.example", usage: "1.3.6.1.5.5.7.3.2");
        foreach (TlsCredential[] credentials in (TlsCredential[][])[[new TlsCredential(stranger)], []])
        {
            await using CryptoPlaneSslStream refused = await server.OpenAsync(
                new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], Credentials = credentials });
            await Assert.ThrowsAnyAsync<IOException>(() => TestServer.AskAsync(refused));
        }
        Assert.Empty(server.Log.Complaints);
    }

    [Fact]
    public async Task A_client_that_says_nothing_is_hung_up_on_and_counted()
    {
        await using TestServer server = await TestServer.StartAsync(endpoint => endpoint.UseCryptoPlaneTls(tls =>
        {
            tls.ServerCertificate = TestCertificates.EcdsaP256;
            tls.HandshakeTimeout = TimeSpan.FromMilliseconds(200);
        }));
        var reasons = new List<string?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            // Tests run side by side: the instruments of this server's factory alone.
            if (instrument.Name == "cryptoplane.tls.handshakes" && ReferenceEquals(instrument.Meter.Scope, server.Services.GetRequiredService<IMeterFactory>()))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            lock (reasons)
                reasons.AddRange(tags.ToArray().Where(tag => tag.Key is "error.type" or "tls.cipher").Select(tag => tag.Value as string));
        });
        listener.Start();
        await using (NetworkStream silent = await server.ConnectAsync())
            Assert.Equal(0, await silent.ReadAsync(new byte[1], TestServer.Token));
        await using (NetworkStream other = await server.ConnectAsync())
        {
            await other.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), TestServer.Token);
            byte[] alert = new byte[7];
            await other.ReadExactlyAsync(alert, TestServer.Token);
            Assert.Equal(21, alert[0]);
        }
        Eventually.True(() => Counted().Count == 2, "two failures to be counted");
        Assert.Equal(["timeout", nameof(TlsErrorKind.PeerMisbehaved)], Counted());
        Assert.True(server.Log.Contains("was not done within 0.2 s"));
        Assert.Empty(server.Log.Complaints);

        List<string?> Counted()
        {
            lock (reasons)
                return [.. reasons];
        }
    }

    [Fact]
    public async Task A_handler_that_speaks_no_HTTP_is_told_of_a_cut()
    {
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(endpoint =>
        {
            endpoint.Protocols = HttpProtocols.None;
            endpoint.UseCryptoPlaneTls(TestCertificates.EcdsaP256);
            endpoint.Run(async context =>
            {
                try
                {
                    ReadResult result = await context.Transport.Input.ReadAtLeastAsync(5, TestServer.Token);
                    heard.SetResult(Encoding.ASCII.GetString(result.Buffer));
                    context.Transport.Input.AdvanceTo(result.Buffer.End);
                    await context.Transport.Input.ReadAsync(TestServer.Token);
                    end.SetResult(null);
                }
                catch (IOException exception)
                {
                    end.SetResult(exception);
                }
            });
        });
        await using (CryptoPlaneSslStream stream = await server.OpenAsync())
        {
            Assert.Equal("", stream.NegotiatedApplicationProtocol.ToString());
            await stream.WriteAsync("hello"u8.ToArray(), TestServer.Token);
            Assert.Equal("hello", await heard.Task);
        }
        Assert.IsType<EndOfStreamException>(await end.Task);
        Assert.Empty(server.Log.Complaints);
    }

    [Fact]
    public void Options_without_one_certificate_are_refused()
    {
        Assert.Throws<InvalidOperationException>(() => new CryptoPlaneTlsOptions().Build());
        Assert.Throws<InvalidOperationException>(() => new CryptoPlaneTlsOptions { ServerCertificate = TestCertificates.EcdsaP256, CertificateSelector = _ => null }.Build());
        Assert.Throws<InvalidOperationException>(() => new CryptoPlaneTlsOptions { CertificateSelector = _ => null, ServerCertificateChain = [] }.Build());
        Assert.Throws<ArgumentOutOfRangeException>(() => new CryptoPlaneTlsOptions { HandshakeTimeout = TimeSpan.Zero });
        Assert.Throws<ArgumentException>(() => new CryptoPlaneTlsOptions { ServerCertificate = X509CertificateLoader.LoadCertificate(TestCertificates.EcdsaP256.RawData) }.Build());
    }

    [Fact]
    public void Ticket_keys_rotate_and_open_what_the_ones_before_have_sealed()
    {
        var clock = new ManualClock();
        var keys = new RotatingTicketKeys(clock);
        byte[] first = Seal();
        clock.Advance(RotatingTicketKeys.Period + TimeSpan.FromMinutes(1));
        byte[] second = Seal();
        Assert.NotEqual(first[..TlsTicketKey.NameSize], second[..TlsTicketKey.NameSize]);
        Assert.True(Opens(first));
        clock.Advance(RotatingTicketKeys.Period);
        Assert.True(Opens(first));
        clock.Advance(RotatingTicketKeys.Period);
        Assert.False(Opens(first));
        Assert.True(Opens(second));

        byte[] Seal()
        {
            var writer = new System.Buffers.ArrayBufferWriter<byte>();
            keys.Protect("state"u8, writer);
            return writer.WrittenSpan.ToArray();
        }

        bool Opens(byte[] ticket) => keys.TryUnprotect(ticket, new byte[100], out _);
    }
}
