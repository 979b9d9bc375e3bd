using System.Net;
using System.Net.NetworkInformation;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests;

/// <summary>Settings of an interface that somebody else made: here, of a TAP device that knows nothing of them.</summary>
public sealed class KernelInterfaceTests
{
    [Fact]
    public void An_interface_gets_its_settings_and_shows_its_link()
    {
        Requirement.Tun();
        string ip = Requirement.Program("ip", "iproute2");
        string name = $"cp{Environment.ProcessId % 100_000}k";
        using TapDevice device = TapDevice.Open(new TapOptions { Name = name });
        var kernel = new KernelInterface(name);
        kernel.BringUp(PhysicalAddress.Parse("02-CA-FE-00-00-02"), 1444);
        kernel.AddAddress(IPAddress.Parse("10.84.19.1"), 24);
        kernel.SetRoute(IPNetwork.Parse("10.85.19.0/24"), IPAddress.Parse("10.84.19.254"));

        string shown = Show("addr");
        foreach (string part in (string[])["02:ca:fe:00:00:02", "mtu 1444", "10.84.19.1/24", "LOWER_UP"])
            Assert.Contains(part, shown, StringComparison.Ordinal);
        Assert.Contains("10.85.19.0/24 via 10.84.19.254", ExternalProgram.Run(ip, ["route", "show", "dev", name]).EnsureSuccess().Output, StringComparison.Ordinal);

        kernel.SetCarrier(false);
        Assert.Contains("NO-CARRIER", Show("link"), StringComparison.Ordinal);
        kernel.SetCarrier(true);
        Assert.DoesNotContain("NO-CARRIER", Show("link"), StringComparison.Ordinal);

        string Show(string what) => ExternalProgram.Run(ip, [what, "show", "dev", name]).EnsureSuccess().Output;
    }

    [Fact]
    public void An_interface_that_is_not_there_is_named()
    {
        Requirement.Tun();
        var kernel = new KernelInterface("cpnothere");
        Assert.Contains("cpnothere", Assert.Throws<InvalidOperationException>(() => kernel.SetCarrier(true)).Message, StringComparison.Ordinal);
        Assert.Contains("cpnothere", Assert.Throws<InvalidOperationException>(() => kernel.BringUp(PhysicalAddress.Parse("02-CA-FE-00-00-02"), 1500)).Message, StringComparison.Ordinal);
    }
}
