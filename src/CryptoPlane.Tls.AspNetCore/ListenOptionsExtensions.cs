using System.Diagnostics.Metrics;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CryptoPlane.Tls.AspNetCore;

/// <summary>Kestrel's endpoints with CryptoPlane's TLS.</summary>
public static class ListenOptionsExtensions
{
    /// <summary>Serves an endpoint over TLS 1.3 with one certificate.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="serverCertificate">With its private key.</param>
    /// <returns>The endpoint.</returns>
    /// <inheritdoc cref="UseCryptoPlaneTls(ListenOptions, Action{CryptoPlaneTlsOptions})" path="/remarks"/>
    public static ListenOptions UseCryptoPlaneTls(this ListenOptions listenOptions, X509Certificate2 serverCertificate)
    {
        ArgumentNullException.ThrowIfNull(serverCertificate);
        return listenOptions.UseCryptoPlaneTls(options => options.ServerCertificate = serverCertificate);
    }

    /// <summary>Serves an endpoint over TLS 1.3.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="configure">Says with which certificate, at least.</param>
    /// <returns>The endpoint.</returns>
    /// <exception cref="InvalidOperationException">There is no certificate, or more than one way to it, or early data is asked for.</exception>
    /// <exception cref="ArgumentException">The certificate has no private key, or one that TLS 1.3 cannot sign with here.</exception>
    /// <remarks>
    /// Instead of <c>UseHttps</c>, and not besides. The application protocols are those of <see cref="ListenOptions.Protocols"/>: h2 and
    /// http/1.1 by default. With <see cref="HttpProtocols.None"/>, for a connection handler of your own, there are none, and a connection that
    /// ends without close_notify is an error. Requests have the scheme https, although Kestrel shows the endpoint's address with http: it knows
    /// no TLS but its own.
    /// </remarks>
    public static ListenOptions UseCryptoPlaneTls(this ListenOptions listenOptions, Action<CryptoPlaneTlsOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new CryptoPlaneTlsOptions();
        configure(options);
        TlsServerOptions serverOptions = options.Build();
        IServiceProvider services = listenOptions.ApplicationServices;
        ILoggerFactory loggers = services?.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        var metrics = TlsMetrics.Create(services?.GetService<IMeterFactory>());
        listenOptions.Use(next =>
        {
            // The endpoint is whole by now: its protocols may have been set behind this call.
            TlsServerOptions ofEndpoint = serverOptions.ApplicationProtocols.Count > 0
                ? serverOptions
                : serverOptions.WithApplicationProtocols(ApplicationProtocols(listenOptions.Protocols));
            bool isHttp = listenOptions.Protocols != HttpProtocols.None;
            return new TlsConnectionMiddleware(next, ofEndpoint, options, isHttp, loggers.CreateLogger<TlsConnectionMiddleware>(), metrics).OnConnectionAsync;
        });
        return listenOptions;
    }

    private static List<SslApplicationProtocol> ApplicationProtocols(HttpProtocols protocols)
    {
        List<SslApplicationProtocol> names = [];
        if (protocols.HasFlag(HttpProtocols.Http2))
            names.Add(SslApplicationProtocol.Http2);
        if (protocols.HasFlag(HttpProtocols.Http1))
            names.Add(SslApplicationProtocol.Http11);
        return names;
    }
}
