using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using VpnBroker.Listening;

namespace VpnBroker.Web;

/// <summary>Answers a request for one path.</summary>
internal delegate Task HttpPage(HttpContext context);

/// <summary>
/// A small HTTP server for reading: Kestrel on one endpoint, with fixed paths, GET and HEAD only, a check of the Host header, and headers
/// that leave a browser no right that the page does not need. It reads no environment variable and no file.
/// </summary>
internal sealed partial class HttpEndpoint : IAsyncDisposable
{
    private const int MaximumConnections = 64;
    private const int MaximumHeaderBytes = 16_384;

    private static readonly TimeSpan s_headerTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_idleTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_stopTime = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What every answer says. The content security policy takes nothing but this endpoint's own files, no inline script or style, no frame
    /// and no form, and makes an assignment to innerHTML an error (trusted types), so that a name which holds markup stays a name.
    /// </summary>
    private static readonly (string Name, string Value)[] s_headers =
    [
        ("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ];

    private readonly WebApplication _server;
    private readonly HostCheck _hosts;
    private readonly IReadOnlyDictionary<string, HttpPage> _pages;

    private HttpEndpoint(WebApplication server, HostCheck hosts, IReadOnlyDictionary<string, HttpPage> pages)
    {
        _server = server;
        _hosts = hosts;
        _pages = pages;
    }

    /// <summary>Begins to serve.</summary>
    /// <param name="listen">Where.</param>
    /// <param name="names">Names that requests may have in Host besides <c>localhost</c> and addresses.</param>
    /// <param name="pages">What is served, by path.</param>
    /// <param name="what">What it is, for the log: <c>the page</c>.</param>
    /// <param name="loggers">The log.</param>
    /// <exception cref="ListenException">The endpoint cannot be listened on.</exception>
    public static async Task<HttpEndpoint> StartAsync(
        IPEndPoint listen, IReadOnlyList<string> names, IReadOnlyDictionary<string, HttpPage> pages, string what, ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new QuietLoggers(loggers));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => Configure(options, listen));
        WebApplication server = builder.Build();
        var endpoint = new HttpEndpoint(server, new HostCheck(names), pages);
        server.Run(endpoint.AnswerAsync);
        try
        {
            await server.StartAsync();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await server.DisposeAsync();
            throw new ListenException($"{listen}, for {what}, cannot be listened on: {e.Message}");
        }
        LogListening(loggers.CreateLogger("VpnBroker.Web"), what, listen);
        return endpoint;
    }

    /// <summary>Stops serving.</summary>
    public async ValueTask DisposeAsync()
    {
        using var deadline = new CancellationTokenSource(s_stopTime);
        await _server.StopAsync(deadline.Token);
        await _server.DisposeAsync();
    }

    /// <summary>Answers with a text or a file.</summary>
    public static Task SendAsync(HttpContext context, string type, ReadOnlyMemory<byte> body)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        // For HEAD, Kestrel sends the header alone.
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static void Configure(KestrelServerOptions options, IPEndPoint listen)
    {
        options.Listen(listen, endpoint => endpoint.Protocols = HttpProtocols.Http1);
        options.AddServerHeader = false;
        options.Limits.MaxConcurrentConnections = MaximumConnections;
        options.Limits.MaxRequestHeadersTotalSize = MaximumHeaderBytes;
        options.Limits.MaxRequestBodySize = 0;
        options.Limits.RequestHeadersTimeout = s_headerTime;
        options.Limits.KeepAliveTimeout = s_idleTime;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        foreach ((string name, string value) in s_headers)
            context.Response.Headers[name] = new StringValues(value);
        if (!_hosts.IsAllowed(context.Request.Host))
        {
            // RFC 9110 §15.5.20: a request for somebody else.
            await RefuseAsync(context, StatusCodes.Status421MisdirectedRequest, "Ask by address, or as localhost.");
            return;
        }
        if (context.Request.Method is not ("GET" or "HEAD"))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "This is for reading only: GET or HEAD.");
            return;
        }
        if (!_pages.TryGetValue(context.Request.Path.Value ?? "", out HttpPage? page))
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, "There is nothing here.");
            return;
        }
        try
        {
            await page(context);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client went away, or the broker is stopping.
            context.Features.Get<IHttpRequestLifetimeFeature>()?.Abort();
        }
    }

    private static Task RefuseAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        return SendAsync(context, "text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(text + "\n"));
    }

    [LoggerMessage(1, LogLevel.Information, "{What} is served on http://{Endpoint}/")]
    private static partial void LogListening(ILogger logger, string what, IPEndPoint endpoint);

    /// <summary>The broker's log without what Kestrel tells of each connection, and never disposed of by the server.</summary>
    private sealed class QuietLoggers(ILoggerFactory loggers) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => new QuietLogger(loggers.CreateLogger(categoryName));

        public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

        public void Dispose()
        {
        }
    }

    private sealed class QuietLogger(ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel level) => level >= LogLevel.Warning && logger.IsEnabled(level);

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(level))
                logger.Log(level, id, state, exception, formatter);
        }
    }
}
