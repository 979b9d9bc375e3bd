using System.Net;
using System.Net.Sockets;
using System.Text;
using CryptoPlane.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Monitoring;
using VpnBroker.Status;
using VpnBroker.Tests.Control;
using VpnBroker.Web;

namespace VpnBroker.Tests.Web;

/// <summary>The page on a port of the loopback interface, with readings that a test gives it.</summary>
internal sealed class WebFixture : IAsyncDisposable
{
    private readonly HttpEndpoint _endpoint;
    private int _readings;

    private WebFixture(Func<WebFixture, Task<HttpEndpoint>> start)
    {
        Sampler = new RateSampler(_ => Task.FromResult(Read(Interlocked.Increment(ref _readings))), TimeProvider.System);
        _endpoint = start(this).GetAwaiter().GetResult();
    }

    public RateSampler Sampler { get; }

    public int Port { get; } = FreePort.Tcp();

    public string Url => $"http://127.0.0.1:{Port}/";

    /// <summary>Changes what is read.</summary>
    public Func<StatusReport, StatusReport> Change { get; set; } = report => report;

    /// <summary>Starts the page; each reading of the sampler is a second behind the one before, and its counters have grown.</summary>
    public static async Task<WebFixture> StartAsync()
    {
        var fixture = new WebFixture(self =>
        {
            var api = new WebApi(self.Sampler, () => Task.FromResult(self.Sampler.WithRates(self.Read(Volatile.Read(ref self._readings)))),
                request => Task.FromResult(Flows(request)), TimeProvider.System);
            return HttpEndpoint.StartAsync(new IPEndPoint(IPAddress.Loopback, self.Port), ["broker.example.net"],
                WebFiles.Load().Concat(api.Pages).ToDictionary(), "the page", NullLoggerFactory.Instance);
        });
        await fixture.Sampler.SampleAsync();
        await fixture.Sampler.SampleAsync();
        return fixture;
    }

    /// <summary>Sends bytes and reads until the server closes.</summary>
    public string Exchange(string request)
    {
        using var client = new TcpClient();
        client.Connect(IPAddress.Loopback, Port);
        client.ReceiveTimeout = 20_000;
        client.GetStream().Write(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>Asks for a path with a Host header and reads the whole answer.</summary>
    public string Get(string path, string host = "localhost", string method = "GET") =>
        Exchange($"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");

    public ValueTask DisposeAsync() => _endpoint.DisposeAsync();

    /// <summary>One flow, whose user's name says the order that was asked for.</summary>
    private static FlowsReport Flows(FlowsRequest request) => new(DateTimeOffset.UnixEpoch, 1, 100, 1, 1,
    [
        new FlowReport(7, 0, "tcp", "established", new FlowEndReport("10.77.0.2", 40000, $"<b>{request.Sort}</b>"), new FlowEndReport("fd00:20::5", 443, "dc1"),
            new FlowDirectionReport(10, 1000, 1, 2_000_000), new FlowDirectionReport(20, 2000, 2, 8_000_000), 61, 0.1, null, 0, 0, null, false),
    ]);

    private StatusReport Read(int second) => Change(StatusSamples.Report(second: second, factor: (ulong)second));
}
