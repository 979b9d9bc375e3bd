using System.Text.Json;
using CryptoPlane.TestKit;
using VpnBroker.Status;
using VpnBroker.Tests.Monitoring.Metrics;

namespace VpnBroker.Tests.Web;

/// <summary>The page as a browser shows it.</summary>
public sealed class PageTests(PageTests.SharedBrowser shared) : IClassFixture<PageTests.SharedBrowser>, IAsyncLifetime
{
    private WebFixture _page = null!;
    private ChromeDriver _browser = null!;

    public async ValueTask InitializeAsync()
    {
        _browser = shared.Get();
        _page = await WebFixture.StartAsync();
    }

    public ValueTask DisposeAsync() => _page.DisposeAsync();

    /// <summary>One browser for all tests, started by the first of them.</summary>
    public sealed class SharedBrowser : IDisposable
    {
        private ChromeDriver? _browser;

        public void Dispose() => _browser?.Dispose();

        internal ChromeDriver Get() => _browser ??= new ChromeDriver();
    }

    [Fact]
    public async Task Tunnels_lcores_ports_drops_and_charts_are_shown_and_go_on()
    {
        Show();
        Assert.Equal("alice", Cell("users", 0));
        Assert.Equal("dc1", Cell("esp", 0));
        Assert.Equal("dc2", Cell("ipsec", 0));
        Assert.Equal("established", Cell("ipsec", 1));
        Assert.Equal("udp:192.0.2.1:4500", Cell("ports", 0));
        Assert.Equal("wan", Cell("dpdk", 0));
        Assert.Equal("crypto_aesni_gcm0", Cell("crypto", 0));
        Assert.Contains("source-address", _browser.Text("[...document.querySelectorAll('#drops td.name')].map(cell => cell.textContent)").Split(','));
        // Ten packets and a million bytes more in each second.
        Assert.Equal("10 /s", Cell("lcores", 5));
        Assert.Equal("8.00 Mbit/s", Cell("lcores", 6));
        Assert.Equal("6", _browser.Text("document.querySelectorAll('.chart').length"));
        Assert.Equal("11", _browser.Text("document.querySelectorAll('.chart path.line').length"));

        Eventually.True(() => Cell("flows", 0) == "10.77.0.2:40000", "the top flow on the page");
        Assert.Equal(("<b>rate</b>", "[fd00:20::5]:443", "8.00 Mbit/s", "3"), (Cell("flows", 1), Cell("flows", 2), Cell("flows", 11), Cell("flows", 12)));
        string packets = Cell("lcores", 4);
        await _page.Sampler.SampleAsync();
        await _page.Sampler.SampleAsync();
        Eventually.True(() => int.Parse(Cell("lcores", 4), null) == int.Parse(packets, null) + 20, "the counters of the next readings on the page");
        // One point from the start, of the second reading, and the two new ones; Show took one more.
        Assert.Equal("4", _browser.Text("document.querySelector('.chart path.line').getAttribute('d').split('L').length"));
        Assert.Empty(_browser.Console());
    }

    [Fact]
    public void Data_channels_tables_of_sessions_queues_and_requests_to_ike_are_shown()
    {
        _page.Change = report => BrokerMeterTests.Rich(report) with { Users = [report.Users[0] with { Data = "dtls" }] };
        Show();
        Assert.Equal(("openconnect", "dtls"), (Cell("users", 2), Cell("users", 3)));
        Assert.Equal(("1", "0", "2", "3"), (Cell("dtls", 0), Cell("dtls", 1), Cell("dtls", 2), Cell("dtls", 3)));
        Assert.Equal(("0", "100", "10"), (Cell("tables", 0), Cell("tables", 1), Cell("tables", 2)));
        Assert.Equal(("class voice", "outside", "12.50 ms"), (Cell("queues", 0), Cell("queues", 1), Cell("queues", 9)));
        Assert.Equal(("dc1/net", "3", "75 %", "10.40.0.0/16 fd00:40::/64"), (Cell("shares", 0), Cell("shares", 1), Cell("shares", 2).Trim(), Cell("shares", 3)));
        Assert.Equal(("2", "11", "35"), (Cell("ike", 0), Cell("ike", 1), Cell("ike", 6)));
        Assert.Empty(_browser.Console());
    }

    [Fact]
    public void A_name_with_markup_stays_a_name()
    {
        _page.Change = report => report with
        {
            Users = [report.Users[0] with { User = PrometheusTextTests.HostileName, Group = "</td><script>window.hacked = 1</script>" }],
            Ipsec = [BrokerMeterTests.Peer("<b>peer</b>", "established") with { Identity = "'\"><svg onload=window.hacked=1>" }],
        };
        Show();
        Assert.Equal(PrometheusTextTests.HostileName, Cell("users", 0));
        Assert.Equal("</td><script>window.hacked = 1</script>", Cell("users", 1));
        Eventually.True(() => Cell("ipsec", 0) == "<b>peer</b>" || Sample(), "the peer's name");
        Assert.Equal("0", _browser.Text("document.querySelectorAll('td script, td img, td svg, td b').length"));
        Assert.Equal("undefined", _browser.Text("typeof window.hacked"));
        Assert.Empty(_browser.Console());
    }

    [Fact]
    public void The_policy_stops_what_an_attacker_would_try()
    {
        Show();
        JsonElement tried = _browser.Run("""
            const errors = [];
            try { document.body.innerHTML = '<i>x</i>'; } catch (e) { errors.push(e.name); }
            const made = document.createElement('script');
            try { made.textContent = 'window.hacked = 1'; document.body.append(made); } catch (e) { errors.push(e.name); }
            return [errors.join(' '), typeof window.hacked];
            """);
        Assert.Equal("undefined", tried[1].GetString());
        Assert.Equal("TypeError TypeError", tried[0].GetString());
        Assert.NotEmpty(_browser.Console());
        // A stranger's name that leads here.
        _browser.Open($"http://evil.example:{_page.Port}/");
        Assert.Equal("Ask by address, or as localhost.", _browser.Text("document.body.innerText").Trim());
    }

    [Fact]
    public async Task Dark_and_light_can_be_chosen_and_a_broker_that_is_gone_is_told()
    {
        Show();
        string theme = _browser.Text("document.documentElement.dataset.theme");
        _browser.Run("document.getElementById('theme').click()");
        string other = _browser.Text("document.documentElement.dataset.theme");
        Assert.NotEqual(theme, other);
        _browser.Open(_page.Url);
        Assert.Equal(other, _browser.Text("document.documentElement.dataset.theme"));
        await _page.DisposeAsync();
        Eventually.True(() => State().StartsWith("no answer", StringComparison.Ordinal), "word that the broker does not answer");
    }

    private void Show()
    {
        Func<StatusReport, StatusReport> change = _page.Change;
        _page.Change = report => change(report with { Ipsec = [BrokerMeterTests.Peer("dc2", "established")] });
        Sample();
        _browser.Open(_page.Url);
        _browser.Console();
        Eventually.True(() => State() == "live", "a first answer on the page");
    }

    private string State() => _browser.Text("document.getElementById('state').textContent");

    private bool Sample()
    {
        _page.Sampler.SampleAsync().GetAwaiter().GetResult();
        return false;
    }

    /// <summary>The text of a cell in a table's first row.</summary>
    private string Cell(string table, int column) =>
        _browser.Text($"document.getElementById('{table}').tBodies[0]?.rows[0]?.cells[{column}]?.textContent");
}
