using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json.Serialization;
using CryptoPlane.Tls.AspNetCore;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace TlsWebServer;

/// <summary>What a request knows of its connection.</summary>
internal sealed record ConnectionReport(
    string Scheme, string Http, string Version, string CipherSuite, string Group, string ApplicationProtocol, string ServerName, bool Resumed)
{
    /// <summary>Asks the features of a request.</summary>
    public static ConnectionReport Of(HttpContext context)
    {
        ITlsHandshakeFeature handshake = context.Features.GetRequiredFeature<ITlsHandshakeFeature>();
        ICryptoPlaneTlsFeature more = context.Features.GetRequiredFeature<ICryptoPlaneTlsFeature>();
        ITlsApplicationProtocolFeature protocol = context.Features.GetRequiredFeature<ITlsApplicationProtocolFeature>();
        return new ConnectionReport(
            context.Request.Scheme,
            context.Request.Protocol,
            handshake.Protocol.ToString(),
            handshake.NegotiatedCipherSuite?.ToString() ?? "",
            more.NegotiatedGroup.ToString(),
            Encoding.ASCII.GetString(protocol.ApplicationProtocol.Span),
            handshake.HostName,
            more.IsResumed);
    }

    /// <summary>A page of HTML with it.</summary>
    public string ToPage()
    {
        (string Name, string Value)[] rows =
        [
            ("HTTP", Http), ("TLS", Version), ("Cipher suite", CipherSuite), ("Key exchange", Group), ("Application protocol", ApplicationProtocol),
            ("Server name", ServerName), ("Resumed", Resumed ? "yes" : "no"),
        ];
        var page = new StringBuilder("""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>CryptoPlane TLS</title><link rel="icon" href="data:,">
            <style>body{font:16px sans-serif;margin:3em}th{text-align:left;padding-right:2em}</style></head>
            <body><h1>This page came through CryptoPlane</h1><table>
            """);
        // The client chose some of this, so nothing goes in as it is.
        foreach ((string name, string value) in rows)
            page.Append("<tr><th>").Append(name).Append("</th><td>").Append(HtmlEncoder.Default.Encode(value)).Append("</td></tr>\n");
        return page.Append("</table></body></html>\n").ToString();
    }
}

/// <summary>JSON without reflection.</summary>
[JsonSerializable(typeof(ConnectionReport))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class ConnectionReportContext : JsonSerializerContext;
