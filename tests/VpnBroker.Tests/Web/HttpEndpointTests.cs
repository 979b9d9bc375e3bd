using System.Net;
using System.Text.Json;
using CryptoPlane.TestKit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Listening;
using VpnBroker.Status;
using VpnBroker.Tests.Monitoring.Metrics;
using VpnBroker.Web;

namespace VpnBroker.Tests.Web;

public sealed class HttpEndpointTests : IAsyncLifetime
{
    private WebFixture _page = null!;

    public async ValueTask InitializeAsync() => _page = await WebFixture.StartAsync();

    public ValueTask DisposeAsync() => _page.DisposeAsync();

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.1:9465", true)]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:1", true)]
    [InlineData("[::1]:9465", true)]
    [InlineData("192.0.2.1", true)]
    [InlineData("broker.example.net", true)]
    [InlineData("", false)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("localhost.", false)]
    [InlineData("0x7f000001", false)]
    [InlineData("2130706433", false)]
    [InlineData("127.1", false)]
    [InlineData("[fe80::1%25eth0]", false)]
    [InlineData("[::1].evil.example", false)]
    public void Only_hosts_that_somebody_would_mean_are_answered(string host, bool allowed) =>
        Assert.Equal(allowed, new HostCheck(["broker.example.net"]).IsAllowed(new HostString(host)));

    [Theory]
    [InlineData("/")]
    [InlineData("/app.js")]
    [InlineData("/api/users")]
    public void A_name_that_was_made_to_lead_here_is_refused(string path)
    {
        string answer = _page.Get(path, host: "evil.example");
        Assert.StartsWith("HTTP/1.1 421 ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", answer, StringComparison.Ordinal);
        Assert.EndsWith("Ask by address, or as localhost.\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "421")]
    [InlineData("GET / HTTP/1.0\r\n\r\n", "421")]
    [InlineData("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx", "405")]
    [InlineData("PUT /api/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "405")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "405")]
    [InlineData("get / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "405")]
    [InlineData("TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "405")]
    [InlineData("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\nConnection: close\r\n\r\n", "405")]
    [InlineData("nonsense\r\n\r\n", "400")]
    [InlineData("GET /broker.yaml HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("GET /..%2f..%2fetc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("GET //app.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("GET /APP.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404")]
    public void What_is_no_request_for_a_page_is_refused(string request, string status)
    {
        string answer = _page.Exchange(request);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", answer, StringComparison.Ordinal);
        if (status == "405")
            Assert.Contains("Allow: GET, HEAD\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_that_is_too_long_is_refused() =>
        Assert.StartsWith("HTTP/1.1 431 ", _page.Exchange($"GET / HTTP/1.1\r\nHost: localhost\r\nX: {new string('a', 20_000)}\r\n\r\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("/", "text/html; charset=utf-8")]
    [InlineData("/app.js", "text/javascript; charset=utf-8")]
    [InlineData("/app.css", "text/css; charset=utf-8")]
    [InlineData("/favicon.svg", "image/svg+xml")]
    [InlineData("/api/status", "application/json; charset=utf-8")]
    [InlineData("/nothing", "text/plain; charset=utf-8")]
    public void Every_answer_takes_rights_from_the_browser(string path, string type)
    {
        string head = _page.Get(path).Split("\r\n\r\n")[0];
        Assert.Contains($"\r\nContent-Type: {type}", head, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; ", head, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", head, StringComparison.Ordinal);
        foreach (string header in (string[])["X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Referrer-Policy: no-referrer", "Cache-Control: no-store", "Cross-Origin-Resource-Policy: same-origin"])
            Assert.Contains("\r\n" + header, head, StringComparison.Ordinal);
        Assert.DoesNotContain("Access-Control", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Server:", head, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Head_gets_the_header_alone()
    {
        string answer = _page.Get("/app.js", method: "HEAD");
        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Content-Length: 0", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void Markup_in_a_name_is_escaped_and_comes_back_as_it_was()
    {
        _page.Change = report => report with { Users = [report.Users[0] with { User = PrometheusTextTests.HostileName }] };
        string body = _page.Get("/api/users").Split("\r\n\r\n", 2)[1];
        Assert.DoesNotContain("<", body, StringComparison.Ordinal);
        using JsonDocument answer = JsonDocument.Parse(body[body.IndexOf('{', StringComparison.Ordinal)..(body.LastIndexOf('}') + 1)]);
        Assert.Equal(PrometheusTextTests.HostileName, answer.RootElement.GetProperty("users")[0].GetProperty("user").GetString());
    }

    [Fact]
    public async Task Users_are_found_sorted_and_cut()
    {
        _page.Change = report => report with
        {
            Users = [.. Enumerable.Range(0, 2000).Select(i => report.Users[0] with
            {
                Session = (ulong)i,
                User = $"user{i:0000}",
                Drops = (ulong)i,
                Traffic = new TrafficReport("users", 0, 1000UL * (ulong)(i % 77) * (ulong)report.UptimeSeconds, 0, 0),
            })],
        };
        await _page.Sampler.SampleAsync();
        using var client = new HttpClient { BaseAddress = new Uri(_page.Url) };
        JsonElement all = await AskAsync("limit=5000&sort=rate");
        Assert.Equal((2000, 1000), (all.GetProperty("found").GetInt32(), all.GetProperty("users").GetArrayLength()));
        Assert.EndsWith("76", (int.Parse(Name(all)[4..], null) % 77).ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.Equal("user1999", Name(await AskAsync("sort=drops&limit=1")));
        Assert.Equal("user0000", Name(await AskAsync("sort=user&limit=1")));
        JsonElement found = await AskAsync("search=USER012&limit=x&sort=nonsense");
        Assert.Equal((10, 10), (found.GetProperty("found").GetInt32(), found.GetProperty("users").GetArrayLength()));
        Assert.Equal(0, (await AskAsync("search=%3Cscript%3E")).GetProperty("found").GetInt32());

        async Task<JsonElement> AskAsync(string query) => JsonDocument.Parse(await client.GetStringAsync("/api/users?" + query, TestContext.Current.CancellationToken)).RootElement;
        static string Name(JsonElement answer) => answer.GetProperty("users")[0].GetProperty("user").GetString()!;
    }

    [Theory]
    [InlineData("", "rate")]
    [InlineData("?sort=drops", "drops")]
    [InlineData("?sort=nonsense", "rate")]
    public void Flows_come_in_the_order_that_is_asked_for(string query, string order) =>
        Assert.Contains($"\"through\":\"\\u003Cb\\u003E{order}\\u003C/b\\u003E\"", _page.Get("/api/flows" + query), StringComparison.Ordinal);

    [Theory]
    [InlineData("", 3)]
    [InlineData("?since=0", 3)]
    [InlineData("?since=-1", 3)]
    [InlineData("?since=99999999999999999999999", 3)]
    [InlineData("?since=9999999999999", 0)]
    public async Task The_history_is_what_is_behind_a_time(string query, int points)
    {
        await _page.Sampler.SampleAsync();
        await _page.Sampler.SampleAsync();
        using var client = new HttpClient { BaseAddress = new Uri(_page.Url) };
        using JsonDocument answer = JsonDocument.Parse(await client.GetStringAsync("/api/history" + query, TestContext.Current.CancellationToken));
        Assert.Equal(points, answer.RootElement.GetProperty("points").GetArrayLength());
    }

    [Fact]
    public async Task An_endpoint_that_is_taken_is_told()
    {
        ListenException e = await Assert.ThrowsAsync<ListenException>(() => HttpEndpoint.StartAsync(
            new IPEndPoint(IPAddress.Loopback, _page.Port), [], new Dictionary<string, HttpPage>(), "the page", NullLoggerFactory.Instance));
        Assert.Contains($"127.0.0.1:{_page.Port}, for the page, cannot be listened on", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("*/*", false)]
    [InlineData("text/plain", false)]
    [InlineData("application/openmetrics-text", true)]
    [InlineData("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true)]
    [InlineData("application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5", false)]
    [InlineData("application/openmetrics-text;q=0.1,text/plain", false)]
    [InlineData("application/openmetrics-text;q=0", false)]
    [InlineData("nonsense;;;", false)]
    public void Scrapers_get_the_format_that_they_like_better(string accept, bool openMetrics) =>
        Assert.Equal(openMetrics, MetricsPage.PrefersOpenMetrics([accept]));
}
