using System.Text;
using VpnBroker.OpenConnect.Http;

namespace VpnBroker.Tests.OpenConnect;

public class HttpRequestParserTests
{
    private const string Post = "POST /auth HTTP/1.1\r\nHost: vpn.test:4433\r\nCookie: a=b; webvpn=abc\r\nContent-Length: 5\r\n\r\nhello";

    [Fact]
    public void A_request_is_parsed()
    {
        Assert.Equal(HttpParseStatus.Complete, Parse(Post + "rest", out HttpRequest? request, out int consumed));
        Assert.Equal(Post.Length, consumed);
        Assert.Equal(("POST", "/auth", true), (request!.Method, request.Target, request.KeepAlive));
        Assert.Equal("hello"u8.ToArray(), request.Body);
        Assert.Equal("vpn.test:4433", request.Headers["host"]);
        Assert.Equal("abc", request.Cookie("webvpn"));
        Assert.Null(request.Cookie("web"));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", HttpParseStatus.Complete)]
    [InlineData("GET / HTTP/1.0\r\n\r\n", HttpParseStatus.Complete)]
    [InlineData("GET / HTTP/1.1\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET / HTTP/2.0\r\nHost: a\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET /\r\nHost: a\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET / HTTP/1.1\r\nHost : a\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\nb\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", HttpParseStatus.Malformed)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", HttpParseStatus.BodyTooLarge)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HttpParseStatus.NotImplemented)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", HttpParseStatus.NeedMoreData)]
    [InlineData("\r\n\r\n", HttpParseStatus.Malformed)]
    public void Requests_are_judged(string text, HttpParseStatus expected) => Assert.Equal(expected, Parse(text, out _, out _));

    [Theory]
    [InlineData("HTTP/1.1\r\nConnection: close", false)]
    [InlineData("HTTP/1.1\r\nConnection: x, Close", false)]
    [InlineData("HTTP/1.1", true)]
    [InlineData("HTTP/1.0", false)]
    [InlineData("HTTP/1.0\r\nConnection: keep-alive", true)]
    public void Keep_alive_follows_the_version_and_the_header(string version, bool expected)
    {
        Parse($"GET / {version}\r\nHost: a\r\n\r\n", out HttpRequest? request, out _);
        Assert.Equal(expected, request!.KeepAlive);
    }

    [Fact]
    public void Headers_are_bounded_with_and_without_an_end()
    {
        string filler = new('x', 2000);
        Assert.Equal(HttpParseStatus.HeaderTooLarge, Parse($"GET / HTTP/1.1\r\nHost: {filler}\r\n\r\n", out _, out _));
        Assert.Equal(HttpParseStatus.HeaderTooLarge, Parse($"GET / HTTP/1.1\r\nHost: {filler}", out _, out _));
        string many = string.Concat(Enumerable.Range(0, 101).Select(i => $"h{i}:\r\n"));
        Assert.Equal(HttpParseStatus.Malformed, Parse($"GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n", out _, out _));
    }

    [Fact]
    public void A_trickling_client_is_understood_at_every_cut()
    {
        byte[] bytes = Encoding.ASCII.GetBytes(Post);
        var parser = new HttpRequestParser(1000, 1000);
        for (int length = 0; length < bytes.Length; length++)
            Assert.Equal(HttpParseStatus.NeedMoreData, parser.TryParse(bytes.AsSpan(0, length), out _, out _));
        Assert.Equal(HttpParseStatus.Complete, parser.TryParse(bytes, out _, out int consumed));
        Assert.Equal(bytes.Length, consumed);
        Assert.Equal(HttpParseStatus.Complete, parser.TryParse(bytes, out _, out _));
    }

    [Fact]
    public void A_trickled_body_does_not_cost_the_header_again_with_every_byte()
    {
        const int body = 50_000;
        string header = "POST /auth HTTP/1.1\r\nHost: a\r\n" + string.Concat(Enumerable.Range(0, 90).Select(i => $"h{i}: {new string('x', 80)}\r\n"))
            + $"Content-Length: {body}\r\n\r\n";
        byte[] bytes = [.. Encoding.ASCII.GetBytes(header), .. new byte[body]];
        var parser = new HttpRequestParser(16384, 65536);
        Assert.Equal(HttpParseStatus.NeedMoreData, parser.TryParse(bytes.AsSpan(0, header.Length), out _, out _));
        long before = GC.GetAllocatedBytesForCurrentThread();
        int waits = 0;
        for (int length = header.Length; length < bytes.Length; length++)
            waits += parser.TryParse(bytes.AsSpan(0, length), out _, out _) == HttpParseStatus.NeedMoreData ? 1 : 0;
        // Parsing the header would allocate several times its size, each time.
        Assert.Equal((body, 0), (waits, GC.GetAllocatedBytesForCurrentThread() - before));
        Assert.Equal(HttpParseStatus.Complete, parser.TryParse(bytes, out HttpRequest? request, out int consumed));
        Assert.Equal((body, bytes.Length), (request!.Body.Length, consumed));
    }

    [Fact]
    public void Random_mutations_never_throw()
    {
        byte[] original = Encoding.ASCII.GetBytes(Post);
        var random = new Random(7);
        var seen = new HashSet<HttpParseStatus>();
        for (int i = 0; i < 100_000; i++)
        {
            byte[] bytes = (byte[])original.Clone();
            for (int changes = random.Next(1, 5); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            HttpParseStatus status = new HttpRequestParser(1000, 1000).TryParse(bytes.AsSpan(0, random.Next(bytes.Length + 1)), out HttpRequest? request, out int consumed);
            Assert.Equal(status == HttpParseStatus.Complete, request is not null);
            Assert.InRange(consumed, 0, bytes.Length);
            seen.Add(status);
        }
        Assert.Superset(new HashSet<HttpParseStatus> { HttpParseStatus.Complete, HttpParseStatus.Malformed, HttpParseStatus.NeedMoreData }, seen);
    }

    private static HttpParseStatus Parse(string text, out HttpRequest? request, out int consumed) =>
        new HttpRequestParser(1000, 1000).TryParse(Encoding.Latin1.GetBytes(text), out request, out consumed);
}
