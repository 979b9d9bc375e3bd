using CryptoPlane.Dpdk.Tests.Unprivileged;
using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Peers;

/// <summary>
/// The broker as user nobody without capabilities, with two virtio_user ports at Open vSwitch: plain packets on one, ESP on the other. At the
/// switch's other ports are the router of the local network and the far end of the tunnel, which has an ESP of its own.
/// </summary>
public sealed class BrokerTests
{
    private const string OutSecret = "202122232425262728292a2b2c2d2e2f30313233", InSecret = "000102030405060708090a0b0c0d0e0f10111213";

    [Fact]
    public void Plain_packets_leave_as_esp_on_huge_pages_and_come_back()
    {
        HugePageReserve.Require();
        Run("hugePages", (_, _) => { });
    }

    [Fact]
    public void Plain_packets_leave_as_esp_on_ordinary_pages_and_come_back_and_the_broker_outlives_the_switch() => Run("ordinaryPages", (ovs, neighbours) =>
    {
        ovs.RemovePort("outside");
        ovs.AddPort("wan", "outside");
        neighbours.WaitForFrames(1000);

        ovs.Kill();
        neighbours.WaitForLinks("down down");
        ovs.Start();
        neighbours.WaitForFrames(1000);
    });

    private static void Run(string memory, Action<OpenVSwitch, LabTraffic> trouble)
    {
        Requirement.Root();
        using var ovs = new OpenVSwitch();
        ovs.AddBridge("lan", "router", "inside");
        ovs.AddBridge("wan", "gateway", "outside");
        using var directory = new TemporaryDirectory();
        string configuration = directory.File("broker.yaml");
        File.WriteAllText(configuration, Configuration(ovs, directory, memory));
        ExternalProgram.Run("chown", ["-R", $"{DpdkLab.Nobody}:{DpdkLab.Nobody}", directory.Path]).EnsureSuccess();

        using (ExternalProgram prepare = Start("esp", "init-state", "--config", configuration))
            prepare.WaitForExit().EnsureSuccess();
        using ExternalProgram broker = Start("run", "--config", configuration);
        using var neighbours = new LabTraffic("tunnel", [ovs.Device("net_virtio_user0", "router"), ovs.Device("net_virtio_user1", "gateway")],
            "10.20.0.2/24", "10.20.0.10", "10.20.5.2", "192.0.2.7/24", "192.0.2.10", "10.30.0.2", "01000001:" + InSecret, "01000002:" + OutSecret);
        try
        {
            neighbours.WaitForFrames(5000);
            trouble(ovs, neighbours);
            neighbours.Finish(disorder: true);

            broker.Signal(ExternalProgram.SigTerm);
            broker.WaitForExit().EnsureSuccess();
        }
        catch (Exception e)
        {
            Assert.Fail($"{e.Message}\nThe broker {(broker.HasExited ? "has ended" : "runs")}. It wrote:\n{broker.AllOutput}");
        }
    }

    private static ExternalProgram Start(params string[] arguments) =>
        DpdkLab.StartUnprivileged(DpdkLab.OutputOf("samples/VpnBroker", "broker"), arguments);

    private static string Configuration(OpenVSwitch ovs, TemporaryDirectory directory, string memory) => $$"""
        lcores: { count: 1, idle: adaptive }
        dpdk:
          memory: {{memory}}
          megabytes: 64
          ports:
            - name: wan
              device: "{{ovs.Device("net_virtio_user0", "outside")}},mac=02:00:5e:00:00:01"
              role: outside
              addresses: [192.0.2.10/24]
            - name: lan
              device: "{{ovs.Device("net_virtio_user1", "inside")}},mac=02:00:5e:00:00:02"
              role: inside
              addresses: [10.20.0.10/24]
              gateways: [10.20.0.2]
              mtu: 1400
              routes: [10.20.0.0/16]
        esp:
          insecureStaticKeys: true
          stateFile: {{directory.File("esp-state")}}
          tunnels:
            - name: far
              mode: raw
              local: 192.0.2.10
              remote: 192.0.2.7
              remotePrefixes: [10.30.0.0/16]
              mtu: 1400
              pairs:
                - lcore: 0
                  inbound: { spi: 0x01000001, key: {{InSecret[..32]}}, salt: {{InSecret[32..]}}, esn: true }
                  outbound: { spi: 0x01000002, key: {{OutSecret[..32]}}, salt: {{OutSecret[32..]}}, esn: true }
        control: { socket: {{directory.File("broker.sock")}} }
        log: { auditFile: {{directory.File("audit.jsonl")}} }
        """;
}
