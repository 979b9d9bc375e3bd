using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.AspNetCore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace TlsWebServer;

/// <summary>The application: one endpoint with CryptoPlane's TLS, and what it serves.</summary>
internal static class WebServer
{
    /// <summary>Makes the application.</summary>
    /// <param name="arguments">What the command line says.</param>
    /// <param name="configure">Changes what it is made of; null for nothing.</param>
    /// <param name="configureTls">The endpoint's TLS, instead of the certificate that the command line names.</param>
    public static WebApplication Build(
        ServerArguments arguments, Action<WebApplicationBuilder>? configure = null, Action<ListenOptions>? configureTls = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        if (arguments.IsVerbose)
            builder.Logging.AddFilter("CryptoPlane", LogLevel.Debug);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(arguments.Address, arguments.Port, endpoint =>
            {
                if (configureTls is not null)
                    configureTls(endpoint);
                else
                    endpoint.UseCryptoPlaneTls(tls => (tls.ServerCertificate, tls.ServerCertificateChain) = CertificateOf(arguments));
            });
        });
        configure?.Invoke(builder);
        WebApplication application = builder.Build();
        application.UseWebSockets();
        Endpoints.Map(application);
        return application;
    }

    /// <summary>The port of an application that was started.</summary>
    public static int PortOf(WebApplication application) =>
        new Uri(application.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First()).Port;

    private static (X509Certificate2 Certificate, X509Certificate2Collection Chain) CertificateOf(ServerArguments arguments)
    {
        var chain = new X509Certificate2Collection();
        if (arguments.CertificateFile is null)
            return (SelfSigned(), chain);
        chain.ImportFromPemFile(arguments.CertificateFile);
        chain.RemoveAt(0);
        return (X509Certificate2.CreateFromPemFile(arguments.CertificateFile, arguments.KeyFile), chain);
    }

    private static X509Certificate2 SelfSigned()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(30));
    }
}
