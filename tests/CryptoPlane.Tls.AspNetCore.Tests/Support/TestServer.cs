using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json;
using CryptoPlane.Tls.Streams;
using CryptoPlane.Tls.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TlsWebServer;

namespace CryptoPlane.Tls.AspNetCore.Tests.Support;

/// <summary>The sample's application in this process on a free port, with the test's certificate, and what it logs.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TestServer(WebApplication application, LogLines log)
    {
        _application = application;
        Log = log;
        Port = WebServer.PortOf(application);
    }

    public int Port { get; }

    public LogLines Log { get; }

    public Uri Address => new($"https://{TestCertificates.ServerName}:{Port}/");

    public IServiceProvider Services => _application.Services;

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TlsClientOptions ClientOptions => new(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root] };

    /// <summary>Starts it.</summary>
    /// <param name="configureTls">Null for one certificate and nothing else.</param>
    public static async Task<TestServer> StartAsync(Action<ListenOptions>? configureTls = null)
    {
        var log = new LogLines();
        WebApplication application = WebServer.Build(
            new ServerArguments { Port = 0 },
            builder =>
            {
                builder.Logging.ClearProviders();
                builder.Logging.SetMinimumLevel(LogLevel.Debug);
                builder.Services.AddSingleton<ILoggerProvider>(log);
            },
            configureTls ?? (endpoint => endpoint.UseCryptoPlaneTls(TestCertificates.EcdsaP256)));
        await application.StartAsync(Token);
        return new TestServer(application, log);
    }

    /// <summary>A client of the framework's that trusts the test's root, and whose connections all lead here.</summary>
    public HttpClient Client(Version? version = null)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = FrameworkOptions,
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, Port, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        return new HttpClient(handler)
        {
            BaseAddress = Address,
            DefaultRequestVersion = version ?? HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    public static SslClientAuthenticationOptions FrameworkOptions
    {
        get
        {
            var policy = new System.Security.Cryptography.X509Certificates.X509ChainPolicy
            {
                TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
                RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.Add(TestCertificates.Root);
            return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }
    }

    public async Task<NetworkStream> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, Port, Token);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Our own client's stream to it.</summary>
    public async Task<CryptoPlaneSslStream> OpenAsync(TlsClientOptions? options = null)
    {
        var stream = new CryptoPlaneSslStream(await ConnectAsync());
        await stream.AuthenticateAsClientAsync(options ?? ClientOptions, Token);
        return stream;
    }

    /// <summary>What the server says about the connection of a request by HTTP/1.1 over our own client, which reads to the end.</summary>
    public static async Task<JsonElement> AskAsync(CryptoPlaneSslStream stream)
    {
        await stream.WriteAsync("GET /connection HTTP/1.1\r\nHost: server.example\r\nConnection: close\r\n\r\n"u8.ToArray(), Token);
        using var reader = new StreamReader(stream, leaveOpen: true);
        string answer = await reader.ReadToEndAsync(Token);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        string body = answer[answer.IndexOf('{', StringComparison.Ordinal)..(answer.LastIndexOf('}') + 1)];
        return JsonDocument.Parse(body).RootElement;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(Token);
        await _application.DisposeAsync();
    }
}

/// <summary>The lines that a server logs, with the exceptions' kinds.</summary>
internal sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    /// <summary>What an operator would have to look at.</summary>
    public IReadOnlyList<string> Complaints => [.. _lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text)];

    public bool Contains(string text) => _lines.Any(line => line.Text.Contains(text, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(LogLines lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines._lines.Enqueue((logLevel, $"{category}: {formatter(state, exception)} {exception}"));
    }
}
