using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json;
using CryptoPlane.Tls.AspNetCore.Tests.Support;
using CryptoPlane.Tls.Streams;
using CryptoPlane.Tls.Tests.Support;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using TlsWebServer;

namespace CryptoPlane.Tls.AspNetCore.Tests;

/// <summary>HTTP by Kestrel over our TLS, with the framework's client.</summary>
public sealed class HttpTests
{
    private const int Large = 30_000_000;

    public static TheoryData<string> Versions => ["1.1", "2.0"];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_request_knows_its_connection(string version)
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpClient client = server.Client(Version.Parse(version));
        JsonElement report = await client.GetFromJsonAsync<JsonElement>("connection", TestServer.Token);
        Assert.Equal("https", report.GetProperty("scheme").GetString());
        Assert.Equal(version == "2.0" ? "HTTP/2" : "HTTP/1.1", report.GetProperty("http").GetString());
        // The framework's client offers no protocols where it wants HTTP/1.1 and nothing else.
        Assert.Equal(version == "2.0" ? "h2" : "", report.GetProperty("applicationProtocol").GetString());
        Assert.Equal("Tls13", report.GetProperty("version").GetString());
        Assert.Equal(nameof(System.Net.Security.TlsCipherSuite.TLS_AES_128_GCM_SHA256), report.GetProperty("cipherSuite").GetString());
        Assert.Contains(report.GetProperty("group").GetString(), Enum.GetNames<TlsNamedGroup>());
        Assert.Equal(TestCertificates.ServerName, report.GetProperty("serverName").GetString());
        string page = await client.GetStringAsync("", TestServer.Token);
        Assert.Contains("<th>Cipher suite</th><td>TLS_AES_128_GCM_SHA256</td>", page, StringComparison.Ordinal);
        Assert.Empty(server.Log.Complaints);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_large_download_and_a_large_upload_arrive_whole(string version)
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpClient client = server.Client(Version.Parse(version));
        byte[] expected = new byte[Large];
        for (int i = 0; i < expected.Length; i++)
            expected[i] = Endpoints.DownloadByte(i);
        byte[] hash = SHA256.HashData(expected);
        await using (Stream download = await client.GetStreamAsync($"download?bytes={Large}", TestServer.Token))
            Assert.Equal(hash, await SHA256.HashDataAsync(download, TestServer.Token));

        using var content = new ByteArrayContent(expected);
        using HttpResponseMessage answer = await client.PostAsync("upload", content, TestServer.Token);
        Assert.Equal($"{Large} {Convert.ToHexStringLower(hash)}\n", await answer.Content.ReadAsStringAsync(TestServer.Token));
        Assert.Empty(server.Log.Complaints);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_hundred_requests_at_a_time_are_answered(string version)
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpClient client = server.Client(Version.Parse(version));
        int[] lengths = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
            (await client.GetByteArrayAsync(string.Create(CultureInfo.InvariantCulture, $"download?bytes={i * 1_000}"), TestServer.Token)).Length));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => i * 1_000), lengths);
        Assert.Empty(server.Log.Complaints);
    }

    [Fact]
    public async Task A_WebSocket_says_what_it_hears()
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpClient client = server.Client();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"wss://{TestCertificates.ServerName}:{server.Port}/echo"), client, TestServer.Token);
        byte[] data = RandomNumberGenerator.GetBytes(50_000), heard = new byte[data.Length];
        await socket.SendAsync(data, WebSocketMessageType.Binary, endOfMessage: true, TestServer.Token);
        for (int done = 0; done < heard.Length;)
            done += (await socket.ReceiveAsync(heard.AsMemory(done), TestServer.Token)).Count;
        Assert.Equal(data, heard);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestServer.Token);
        Assert.Empty(server.Log.Complaints);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1, "http/1.1")]
    [InlineData(HttpProtocols.Http2, "h2")]
    [InlineData(HttpProtocols.Http1AndHttp2, "h2")]
    public async Task The_endpoints_protocols_are_offered_even_if_they_are_set_behind_it(HttpProtocols protocols, string chosen)
    {
        await using TestServer server = await TestServer.StartAsync(endpoint =>
        {
            endpoint.UseCryptoPlaneTls(TestCertificates.EcdsaP256);
            endpoint.Protocols = protocols;
        });
        await using CryptoPlaneSslStream stream = await server.OpenAsync(new TlsClientOptions(TestCertificates.ServerName)
        {
            TrustedRoots = [TestCertificates.Root],
            ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2],
        });
        Assert.Equal(chosen, stream.NegotiatedApplicationProtocol.ToString());
    }

    [Fact]
    public async Task A_connection_without_ALPN_is_of_HTTP_1_1_and_ends_with_close_notify()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using CryptoPlaneSslStream stream = await server.OpenAsync();
        JsonElement report = await TestServer.AskAsync(stream);
        Assert.Equal("HTTP/1.1", report.GetProperty("http").GetString());
        Assert.Equal("", report.GetProperty("applicationProtocol").GetString());
        // AskAsync has read to the end: without close_notify that would have been an exception.
        Assert.Equal(0, await stream.ReadAsync(new byte[1], TestServer.Token));
    }
}
