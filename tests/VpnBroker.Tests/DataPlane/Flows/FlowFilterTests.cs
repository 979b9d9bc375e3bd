using System.Net;
using CryptoPlane.Flows.Sessions;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Tests.DataPlane.Flows;

public sealed unsafe class FlowFilterTests
{
    private readonly SessionKey _key = SessionKey.Of(
        SessionAddress.From(IPAddress.Parse("10.8.0.10")), SessionAddress.From(IPAddress.Parse("192.0.2.1")), 4000, 443, 6, SessionKeyKind.Ports, 0, out _);

    private readonly SessionState _state = new()
    {
        Tcp = TcpState.Established, IngressKind = FlowTunnelKind.User, IngressId = 7, EgressKind = FlowTunnelKind.Esp, EgressId = 3,
    };

    [Fact]
    public void The_default_takes_all() => Assert.True(default(FlowFilter).Takes(_key, _state));

    [Theory]
    [InlineData("10.8.0.10", 128, true)]
    [InlineData("192.0.2.0", 120, true)]
    [InlineData("10.0.0.0", 104, true)]
    [InlineData("10.8.0.11", 128, false)]
    [InlineData("198.51.100.0", 120, false)]
    [InlineData("::", 64, true)]
    [InlineData("2001:db8::", 32, false)]
    public void One_end_in_the_prefix_is_enough(string prefix, int length, bool taken) =>
        Assert.Equal(taken, new FlowFilter { Prefix = SessionAddress.From(IPAddress.Parse(prefix)), PrefixLength = length }.Takes(_key, _state));

    [Fact]
    public void All_conditions_must_hold()
    {
        Assert.True(new FlowFilter { HasPort = true, Port = 443, HasProtocol = true, Protocol = 6, States = 1 << (int)TcpState.Established }.Takes(_key, _state));
        Assert.False(new FlowFilter { HasPort = true, Port = 80 }.Takes(_key, _state));
        Assert.False(new FlowFilter { HasProtocol = true, Protocol = 17 }.Takes(_key, _state));
        Assert.False(new FlowFilter { States = 1 << (int)TcpState.Closed }.Takes(_key, _state));
        Assert.True(new FlowFilter { Kind = FlowTunnelKind.Esp, EspTunnel = 4 }.Takes(_key, _state));
        Assert.False(new FlowFilter { EspTunnel = 5 }.Takes(_key, _state));
        Assert.False(new FlowFilter { Kind = FlowTunnelKind.Tun }.Takes(_key, _state));
        Assert.False(new FlowFilter { OnlyDenied = true }.Takes(_key, _state));
    }

    [Fact]
    public void Users_are_known_by_their_sessions()
    {
        var filter = default(FlowFilter);
        Assert.True(filter.TryAddUser(6));
        Assert.False(filter.Takes(_key, _state));
        Assert.True(filter.TryAddUser(7));
        Assert.True(filter.Takes(_key, _state));
        // An ESP tunnel of that number is no user.
        Assert.False(filter.Takes(_key, _state with { IngressId = 1, EgressId = 7 }));
        for (int i = 2; i < FlowFilter.MaximumUsers; i++)
            Assert.True(filter.TryAddUser(100));
        Assert.False(filter.TryAddUser(100));
    }

    /// <summary>A session without ports has none to be asked for: 0 neither.</summary>
    [Fact]
    public void A_portless_session_has_no_port()
    {
        SessionKey key = SessionKey.Of(_key.Lower, _key.Upper, 0, 0, 50, SessionKeyKind.Portless, 0, out _);
        Assert.False(new FlowFilter { HasPort = true }.Takes(key, _state));
    }
}
