using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>The broker's own program and strongSwan: whoever begins, through rekeys every few seconds while traffic flows.</summary>
[Collection(nameof(StrongSwanTests))]
public sealed class StrongSwanTests
{
    [Fact]
    public void Broker_begins_and_rekeys_while_nothing_is_lost()
    {
        using var site = new IpsecSite(brokerPeer: "start: true\n      lifetime: 3s", brokerChild: ", lifetime: 1s");
        Explained(site, () =>
        {
            Eventually.True(() => site.IsUp, "the tunnel");
            Carry(site, pings: 400);
            Assert.Contains("\"event\":\"ipsec-up\",\"peer\":\"swan\",\"identity\":\"swan.test\"", site.Audit, StringComparison.Ordinal);

            ProgramResult down = site.Command("down swan");
            Assert.True(down.ExitCode == 0, down.AllOutput);
            Eventually.True(() => site.Swan.Swanctl("--list-sas").Length == 0, "strongSwan to know no SA any more");
            Assert.Contains("down", site.Command("list").Output, StringComparison.Ordinal);
            Assert.Contains("swan is up", site.Command("up swan").EnsureSuccess().Output, StringComparison.Ordinal);
            site.Download(200_000);

            // A stop tells the peer.
            site.Process.Program.Signal(ExternalProgram.SigTerm);
            Assert.Equal(0, site.Process.Program.WaitForExit().ExitCode);
            Eventually.True(() => site.Swan.Swanctl("--list-sas").Length == 0, "strongSwan to know no SA any more");
        });
    }

    [Fact]
    public void StrongSwan_begins_and_rekeys_while_nothing_is_lost()
    {
        using var site = new IpsecSite(swanConnection: "rekey_time = 3s\n    over_time = 10s\n    rand_time = 0s", swanChild: "rekey_time = 1s\n        life_time = 12s\n        rand_time = 0s");
        Explained(site, () =>
        {
            site.Swan.Swanctl("--initiate", "--child", "net");
            Eventually.True(() => site.IsUp, "the tunnel");
            Carry(site, pings: 400);
            // Both at one time, which RFC 7296 §2.8 has rules for.
            Assert.True(site.Command("rekey swan").ExitCode == 0);
            Assert.True(site.Command("rekey swan --ike").ExitCode == 0);
            Carry(site, pings: 100);
            site.Swan.Swanctl("--terminate", "--ike", "broker");
            Eventually.True(() => !site.IsUp, "the end of the tunnel");
            Assert.Contains("\"event\":\"ipsec-down\",\"peer\":\"swan\"", site.Audit, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Between_them_may_be_ipv6(bool brokerBegins)
    {
        using var site = new IpsecSite(brokerPeer: brokerBegins ? "start: true" : "", brokerChild: ", lifetime: 1s", ipv6: true);
        Explained(site, () =>
        {
            if (!brokerBegins)
                site.Swan.Swanctl("--initiate", "--child", "net");
            Eventually.True(() => site.IsUp, "the tunnel");
            Carry(site, pings: 150);
            site.Download(200_000);
            JsonElement sa = Assert.Single(site.Ipsec.EnumerateArray());
            Assert.Equal("[fd99::1]:4500 [fd99::2]:4500", $"{sa.GetProperty("local").GetString()} {sa.GetProperty("remote").GetString()}");
            Assert.True(site.Command("rekey swan --ike").ExitCode == 0);
            Carry(site, pings: 50);
        });
    }

    /// <summary>Older gateways have no AEAD.</summary>
    [Fact]
    public void A_gateway_with_cbc_and_hmac_alone_is_served()
    {
        using var site = new IpsecSite(brokerPeer: "start: true", brokerChild: ", lifetime: 2s, proposals: [aes256gcm16, aes256-sha256, aes128-sha256]", swanEsp: "aes128-sha256");
        Explained(site, () =>
        {
            Eventually.True(() => site.IsUp, "the tunnel");
            Carry(site, pings: 100);
            site.Download(200_000);
            Assert.Contains("AES_CBC-128/HMAC_SHA2_256_128", site.Swan.Swanctl("--list-sas"), StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Certificates_of_both_sides_are_shown_and_checked()
    {
        using var site = new IpsecSite(brokerPeer: "start: true", certificates: new IpsecCertificates());
        Explained(site, () =>
        {
            Eventually.True(() => site.IsUp, "the tunnel that the broker begins");
            Carry(site, pings: 20);
            Assert.True(site.Command("down swan").ExitCode == 0);
            Eventually.True(() => !site.IsUp, "the end of the tunnel");
            site.Swan.Swanctl("--initiate", "--child", "net");
            Eventually.True(() => site.IsUp, "the tunnel that strongSwan begins");
            Carry(site, pings: 20);
        });
    }

    [Fact]
    public void On_a_dpdk_port_esp_is_the_lcores_and_ike_goes_by_the_kernel()
    {
        using var site = new IpsecSite(brokerPeer: "start: true", brokerChild: ", lifetime: 1s", dpdk: true);
        Explained(site, () =>
        {
            Eventually.True(() => site.IsUp, "the tunnel");
            Carry(site, pings: 250);
            (ulong esp, ulong toKernel) = site.PortCounters();
            Assert.True(esp >= 250 && toKernel > 0, $"{esp} packets of ESP to the lcore, {toKernel} frames to the kernel");
        });
    }

    /// <summary>
    /// Pings, and loads a file beside many of them. The broker loses nothing, whatever is rekeyed: all that it drops is counted. strongSwan takes
    /// its outbound SA away before it has the next one in place, a moment that grows to milliseconds on a busy machine.
    /// </summary>
    private static void Carry(IpsecSite site, int pings)
    {
        ulong before = site.Drops;
        using ExternalProgram ping = site.StartPing(pings);
        if (pings > 300)
            site.Download(4_000_000);
        ProgramResult result = ping.WaitForExit(TimeSpan.FromSeconds(60));
        Match received = Regex.Match(result.Output, $"{pings} packets transmitted, (\\d+) received");
        Assert.True(received.Success && int.Parse(received.Groups[1].Value, CultureInfo.InvariantCulture) >= pings * 99 / 100, result.Output);
        Assert.Equal(before, site.Drops);
    }

    /// <summary>Puts what both sides have logged behind the message of a failure.</summary>
    private static void Explained(IpsecSite site, Action test)
    {
        try
        {
            test();
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{site.Logs}", e);
        }
    }
}
