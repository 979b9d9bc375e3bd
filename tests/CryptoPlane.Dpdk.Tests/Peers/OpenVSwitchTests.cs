using CryptoPlane.Dpdk.Tests.Unprivileged;

namespace CryptoPlane.Dpdk.Tests.Peers;

/// <summary>Ports of virtio_user in processes of user nobody without capabilities, at vhost-user ports of Open vSwitch.</summary>
public sealed class OpenVSwitchTests
{
    [Theory]
    [InlineData("--memory", "ordinary")]
    [InlineData("--memory", "huge", "--single-file")]
    public void Frames_cross_the_switch_both_ways_unharmed(params string[] memory)
    {
        if (memory.Contains("huge"))
            HugePageReserve.Require();
        using var ovs = new OpenVSwitch();
        ovs.AddBridge("br0", "a", "b");
        using var traffic = new LabTraffic("traffic", [ovs.Device("net_virtio_user0", "a"), ovs.Device("net_virtio_user1", "b")], memory);
        traffic.WaitForFrames(20_000);
        traffic.Finish();
    }

    [Fact]
    public void Processes_outlive_the_switch_one_another_and_flaps_of_a_link_while_frames_flow()
    {
        using var ovs = new OpenVSwitch();
        ovs.AddBridge("br0", "a", "b");
        ovs.AddBridge("br1", "c", "d");
        // a -> br0 -> b -> wire -> c -> br1 -> d, and back.
        string[] ends = [ovs.Device("net_virtio_user0", "a"), ovs.Device("net_virtio_user1", "d")], middle = [ovs.Device("net_virtio_user0", "b"), ovs.Device("net_virtio_user1", "c")];
        using var traffic = new LabTraffic("traffic", ends);
        using (var wire = new LabTraffic("wire", middle))
        {
            traffic.WaitForFrames(2000);

            ovs.RemovePort("c");
            wire.WaitForLinks("up down");
            ovs.AddPort("br1", "c");
            wire.WaitForLinks("up up");
            traffic.WaitForFrames(2000);

            ovs.Kill();
            traffic.WaitForLinks("down down");
            wire.WaitForLinks("down down");
            ovs.Start();
            traffic.WaitForFrames(2000);

            wire.Kill();
        }
        // The dead process left its sockets.
        using (var wire = new LabTraffic("wire", middle))
        {
            traffic.WaitForFrames(2000);
            wire.Finish();
        }
        traffic.Finish(disorder: true);
    }
}
