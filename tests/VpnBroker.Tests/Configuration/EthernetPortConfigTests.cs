using System.Net;
using CryptoPlane.Dpdk;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.DataPlane.Dpdk;
using VpnBroker.Hosting;

namespace VpnBroker.Tests.Configuration;

public class EthernetPortConfigTests
{
    /// <summary>Without the TUN section, whose place the inside port takes.</summary>
    private static readonly string s_base = ConfigText.Valid.Replace("tun: {name: broker0, addresses: [10.77.0.1/16]}\n", "", StringComparison.Ordinal);

    private const string Valid = """

        dpdk:
          memory: hugePages
          virtualDevices: ["net_ring0"]
          ports:
            - name: wan
              device: "0000:3b:00.0"
              role: outside
              addresses: [192.0.2.1/24, "2001:db8::1/64"]
              gateways: [192.0.2.254, "fe80::1"]
              exceptionTap: wan0
              kernelRoutes: [0.0.0.0/0]
              receiveDescriptors: 2048
              transmitDescriptors: 512
            - name: lan
              device: "net_af_packet0,iface=eth1,qpairs=2"
              role: inside
              addresses: [10.20.0.1/16]
              mtu: 1480
              routes: [10.20.0.0/16]

        """;

    [Fact]
    public void Every_key_is_read()
    {
        BrokerConfig config = ConfigText.Parse(s_base + Valid);
        EthernetPortConfig wan = config.Dpdk!.Ports[0], lan = config.Dpdk.Ports[1];
        Assert.Equal(("wan", "0000:3b:00.0", PortRole.Outside, "wan0"), (wan.Name, wan.DeviceName, wan.Role, wan.ExceptionTap));
        Assert.Equal(["192.0.2.1", "2001:db8::1"], wan.Addresses.Select(address => address.Address.ToString()));
        Assert.Equal([24, 64], wan.Addresses.Select(address => address.PrefixLength));
        Assert.Equal([IPAddress.Parse("192.0.2.254"), IPAddress.Parse("fe80::1")], wan.Gateways);
        Assert.Equal([IPNetwork.Parse("0.0.0.0/0")], wan.KernelRoutes);
        Assert.Equal((2048, 512, 1500), (wan.ReceiveDescriptors, wan.TransmitDescriptors, wan.Mtu));
        Assert.Equal(("lan", "net_af_packet0", PortRole.Inside, (string?)null, 1480), (lan.Name, lan.DeviceName, lan.Role, lan.ExceptionTap, lan.Mtu));
        Assert.Equal((1024, 1024), (lan.ReceiveDescriptors, lan.TransmitDescriptors));
    }

    [Fact]
    public void The_environment_is_started_with_the_ports_devices()
    {
        EalOptions options = DpdkEnvironment.OptionsOf(ConfigText.Parse(s_base + Valid).Dpdk!);
        Assert.Equal(["net_ring0", "net_af_packet0,iface=eth1,qpairs=2"], options.VirtualDevices);
        Assert.Equal(["0000:3b:00.0"], options.PciDevices);
    }

    [Fact]
    public void The_kernels_share_can_go_by_a_device_which_gets_the_interfaces_name()
    {
        BrokerConfig config = ConfigText.Parse(s_base + WithExceptionDevice("net_virtio_user1,path=/dev/vhost-net,queues=2"));
        Assert.Equal("net_virtio_user1,path=/dev/vhost-net,queues=2", config.Dpdk!.Ports[0].ExceptionDevice);
        EalOptions options = DpdkEnvironment.OptionsOf(config.Dpdk);
        Assert.Equal(["net_ring0", "net_virtio_user1,path=/dev/vhost-net,queues=2,iface=wan0", "net_af_packet0,iface=eth1,qpairs=2"], options.VirtualDevices);
        Assert.True(options.SingleFileSegments, "vhost takes few regions of memory");
    }

    public static TheoryData<string, string> ExceptionDeviceErrors => new()
    {
        { "net_virtio_user1,path=/run/vhost0.sock", "the kernel must have the device's other end" },
        { "net_af_packet1,iface=eth2", "the interface's name is that of exceptionTap" },
        { "net_tap0,iface=wan1", "the interface's name is that of exceptionTap" },
        { "net_null0", "the kernel must have the device's other end" },
        { "eth0", "is no Ethernet port" },
        { "0000:3b:00.1", "the kernel must have the device's other end" },
    };

    [Theory]
    [MemberData(nameof(ExceptionDeviceErrors))]
    public void A_device_whose_other_end_is_not_the_kernels_is_refused(string device, string message)
    {
        var error = Assert.Throws<ConfigException>(() => ConfigText.Parse(s_base + WithExceptionDevice(device)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_exception_device_has_an_interface_and_is_no_ports_own()
    {
        string nameless = Valid.Replace("exceptionTap: wan0\n      kernelRoutes: [0.0.0.0/0]", "exceptionDevice: net_tap0", StringComparison.Ordinal);
        Assert.Contains("is the exceptionTap: name one", Assert.Throws<ConfigException>(() => ConfigText.Parse(s_base + nameless)).Message, StringComparison.Ordinal);
        string twice = WithExceptionDevice("net_tap0").Replace("net_af_packet0,iface=eth1,qpairs=2", "net_tap0", StringComparison.Ordinal);
        Assert.Contains("two ports have the device net_tap0", Assert.Throws<ConfigException>(() => ConfigText.Parse(s_base + twice)).Message, StringComparison.Ordinal);
    }

    private static string WithExceptionDevice(string device) =>
        Valid.Replace("      exceptionTap: wan0\n", $"      exceptionTap: wan0\n      exceptionDevice: \"{device}\"\n", StringComparison.Ordinal);

    [Fact]
    public void A_tunnel_whose_local_address_is_a_ports_goes_by_that_port_and_an_inside_port_is_the_local_network()
    {
        BrokerConfig config = ConfigText.Parse(s_base + Valid);
        Assert.Equal("wan", config.CarrierOf(config.Esp!.Tunnels[0].Local.Address)!.Name);
        Assert.Equal((1480, "10.20.0.1"), (config.LocalNetwork!.Mtu, config.LocalNetwork.Addresses[0].Address.ToString()));

        config = ConfigText.Parse(s_base + Valid.Replace("192.0.2.1/24", "192.0.2.3/24", StringComparison.Ordinal));
        Assert.Null(config.CarrierOf(config.Esp!.Tunnels[0].Local.Address));
        Assert.Null(ConfigText.Parse(s_base).LocalNetwork);
        Assert.Equal("10.77.0.1", ConfigText.Parse(ConfigText.Valid).LocalNetwork!.Addresses[0].Address.ToString());
    }

    [Theory]
    [InlineData("net_virtio_user0,path=/run/vhost0.sock,queues=2")]
    [InlineData("net_af_xdp0,iface=eth1,start_queue=0,queue_count=2")]
    [InlineData("net_tap0,iface=t0")]
    [InlineData("net_pcap0,rx_pcap=/tmp/in.pcap,tx_pcap=/tmp/out.pcap")]
    [InlineData("net_ring1")]
    public void Every_driver_of_software_ports_is_taken(string device)
    {
        string text = s_base + Valid.Replace("net_af_packet0,iface=eth1,qpairs=2", device, StringComparison.Ordinal);
        Assert.Equal(device, ConfigText.Parse(text).Dpdk!.Ports[1].Device);
    }

    /// <summary>What is replaced in the valid section, by what, and a part of the message.</summary>
    public static TheoryData<string, string, string> Errors => new()
    {
        { "name: lan", "name: wan", "the name \"wan\" is there twice: rename one" },
        { "name: lan", "nam: lan", "did you mean \"name\"?" },
        { "role: inside", "role: middle", "write one of: outside, inside" },
        { "role: inside", "role: outside", "routes are for a port whose role is inside" },
        { "role: outside", "role: inside", "the broker has one port towards the local network" },
        { "memory: hugePages", "memory: ordinaryPages", "hardware reaches memory on huge pages only" },
        { "0000:3b:00.0", "3b:00.0", "is no Ethernet port: write a PCI address" },
        { "net_af_packet0,iface=eth1,qpairs=2", "eth1", "is no Ethernet port: write a PCI address" },
        { "net_af_packet0,iface=eth1,qpairs=2", "net_af_packet,iface=eth1", "is no Ethernet port" },
        { "net_af_packet0,iface=eth1,qpairs=2", "crypto_aesni_mb0", "is no Ethernet port" },
        { "net_af_packet0,iface=eth1,qpairs=2", "net_af_packet0, iface=eth1", "without spaces" },
        { "net_af_packet0,iface=eth1,qpairs=2", "net_memif0,role=server", "crashes this process when its peer ends" },
        { "net_af_packet0,iface=eth1,qpairs=2", "0000:3b:00.0", "two ports have the device 0000:3b:00.0" },
        { "addresses: [10.20.0.1/16]", "addresses: []", "write at least one address with its prefix length" },
        { "addresses: [10.20.0.1/16]", "gateways: []", "addresses: this key is missing" },
        { "10.20.0.1/16]", "10.20.0.1/33]", "dpdk.ports[1].addresses" },
        { "10.20.0.1/16]", "192.0.2.1/24]", "192.0.2.1 is there twice: an address belongs to one port" },
        { "192.0.2.254", "198.51.100.1", "the gateway 198.51.100.1 is in the prefix of none of the port's addresses" },
        { "\"fe80::1\"", "192.0.2.253", "a port has one gateway per family at most" },
        { "192.0.2.254, \"fe80::1\"", "\"fe80::1\"", "the kernel's route 0.0.0.0/0 leads to the port's gateway of that family" },
        { "      exceptionTap: wan0\n", "", "kernelRoutes lead into the exceptionTap: name one" },
        { "exceptionTap: wan0", "exceptionTap: an-interface-name", "dpdk.ports[0].exceptionTap" },
        { "mtu: 1480", "mtu: 500", "write a whole number from 576 to 9000" },
        { "mtu: 1480", "mtu: 9000", "with several lcores an mtu is at most" },
        { "      kernelRoutes: [0.0.0.0/0]\n", "      mtu: 1280\n", "bytes inside ESP tunnel \"dc1\"" },
        { "receiveDescriptors: 2048", "receiveDescriptors: 8", "write a whole number from 64 to 32768" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Errors_say_what_to_do(string old, string replacement, string message)
    {
        Assert.Contains(old, Valid, StringComparison.Ordinal);
        var error = Assert.Throws<ConfigException>(() => ConfigText.Parse(s_base + Valid.Replace(old, replacement, StringComparison.Ordinal)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_nothing_uses_is_an_error_and_so_are_two_ways_into_the_local_network()
    {
        string unused = Valid.Replace("192.0.2.1/24", "192.0.2.3/24", StringComparison.Ordinal)
            .Replace("      exceptionTap: wan0\n      kernelRoutes: [0.0.0.0/0]\n", "", StringComparison.Ordinal);
        Assert.Contains("nothing uses the port", Assert.Throws<ConfigException>(() => ConfigText.Parse(s_base + unused)).Message, StringComparison.Ordinal);
        Assert.Contains("one port towards the local network", Assert.Throws<ConfigException>(() => ConfigText.Parse(ConfigText.Valid + Valid)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("routes: [10.20.0.0/16]", "routes: [10.20.0.0/16, 10.21.0.0/16]", null)]
    [InlineData("qpairs=2", "qpairs=1", "dpdk (all but routes)")]
    [InlineData("exceptionTap: wan0", "exceptionTap: wan1", "dpdk (all but routes)")]
    [InlineData("exceptionTap: wan0", "exceptionTap: wan0\n      exceptionDevice: net_tap0", "dpdk (all but routes)")]
    [InlineData("gateways: [192.0.2.254", "gateways: [192.0.2.253", "dpdk (all but routes)")]
    [InlineData("192.0.2.1/24", "192.0.2.1/23", "dpdk (all but routes)")]
    [InlineData("receiveDescriptors: 2048", "receiveDescriptors: 1024", "dpdk (all but routes)")]
    [InlineData("mtu: 1480", "mtu: 1400", "dpdk (all but routes)")]
    public void Routes_alone_can_change_while_the_broker_runs(string old, string replacement, string? section)
    {
        Assert.Contains(old, Valid, StringComparison.Ordinal);
        BrokerConfig after = ConfigText.Parse(s_base + Valid.Replace(old, replacement, StringComparison.Ordinal));
        IReadOnlyList<string> differences = RestartChecks.Differences(ConfigText.Parse(s_base + Valid), after);
        if (section == null)
            Assert.Empty(differences);
        else
            Assert.Equal(section, Assert.Single(differences));
    }
}
