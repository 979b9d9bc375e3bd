using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Peers;

/// <summary>Ports of memif in a process of user nobody without capabilities, whose peer is DPDK's testpmd.</summary>
public sealed class MemifTests
{
    [Fact]
    public void Frames_come_back_from_testpmd_both_ways_unharmed()
    {
        Requirement.Root();
        using var directory = new TemporaryDirectory();
        ExternalProgram.Run("chown", [$"{DpdkLab.Nobody}:{DpdkLab.Nobody}", directory.Path]).EnsureSuccess();
        using var traffic = new LabTraffic("traffic", [Device(0, "server"), Device(1, "server")]);
        Assert.Equal("down down", Eventually.NotNull(() => traffic.Links is { Length: > 0 } links ? links : null, "the first report"));
        using (var peer = new TestPmd(Device(0, "client"), Device(1, "client")))
        {
            traffic.WaitForFrames(20_000);
            Assert.Equal("up up", traffic.Links);
            // A peer's end frees memory that lcores read, and the driver crashes: none may read then, on either side.
            peer.Stop();
            traffic.Finish();
            peer.Finish();
        }

        string Device(int number, string role) => $"net_memif{number},role={role},id={number},socket={directory.File($"memif{number}")},socket-abstract=no";
    }
}
