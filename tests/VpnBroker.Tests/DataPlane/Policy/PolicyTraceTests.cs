using System.Net;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Policy;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Policy;
using VpnBroker.Tests.Configuration;

namespace VpnBroker.Tests.DataPlane.Policy;

public sealed class PolicyTraceTests
{
    private static readonly BrokerConfig s_config = ConfigText.Parse(ConfigText.Valid.Replace("addresses: [10.77.0.1/16]", "addresses: [10.77.0.1/16], routes: [10.20.0.0/16]", StringComparison.Ordinal) + """

        policy:
          default: deny
          rules:
            - {name: admins, action: allow, groups: [admins]}
            - {name: site, action: allow, fromPeers: [dc1]}
            - {name: lab, action: reject, to: [10.20.9.0/24]}
            - {name: sites, action: allow, egress: [esp]}
            - {name: ping, action: allow, protocols: [icmp]}
            - {name: odd, action: allow, fromPorts: [7]}
            - {name: web, action: allow, protocols: [tcp], ports: [443]}
        """);

    private static readonly PolicySubject s_alice = new("alice", ["staff"]);

    [Theory]
    [InlineData("10.20.0.5", 443, 6, "admins:user and groups,site:ingress,lab:to,sites:egress,ping:protocol,odd:fromPorts,web:")]
    [InlineData("10.20.0.5", 80, 6, "admins:user and groups,site:ingress,lab:to,sites:egress,ping:protocol,odd:fromPorts,web:ports,default:")]
    [InlineData("10.20.9.5", 80, 6, "admins:user and groups,site:ingress,lab:")]
    [InlineData("10.30.0.5", 80, 17, "admins:user and groups,site:ingress,lab:to,sites:")]
    public void Each_rule_on_the_way_is_explained(string to, int port, byte protocol, string steps)
    {
        var flow = new PolicyTraceFlow(s_alice, IPAddress.Parse("10.77.0.9"), 50000, IPAddress.Parse(to), (ushort)port, protocol);
        Assert.Equal(steps, string.Join(',', PolicyTrace.Explain(s_config, flow).Select(step => $"{step.Name}:{step.Mismatch}")));
    }

    [Fact]
    public void Places_follow_the_longest_route()
    {
        Assert.Equal(FlowTunnelKind.User, PolicyTrace.PlaceOf(s_config, IPAddress.Parse("10.77.1.1")));
        Assert.Equal(FlowTunnelKind.Esp, PolicyTrace.PlaceOf(s_config, IPAddress.Parse("10.30.1.1")));
        Assert.Equal(FlowTunnelKind.Tun, PolicyTrace.PlaceOf(s_config, IPAddress.Parse("10.20.1.1")));
        Assert.Equal(FlowTunnelKind.None, PolicyTrace.PlaceOf(s_config, IPAddress.Parse("2001:db8::1")));
    }
}
