using System.Net;
using CryptoPlane.Policy;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.DataPlane.Policy;
using VpnBroker.Hosting;

namespace VpnBroker.Tests.Configuration;

public sealed class PolicyConfigTests
{
    private const string Rules = """

        policy:
          default: reject
          networks:
            dc: [10.20.0.0/16, "fd00:20::/48"]
          rules:
            - name: web
              action: allow
              users: [alice, bob@example.net]
              groups: [staff]
              from: [10.77.0.0/16]
              to: [dc, 192.0.2.1/32]
              ingress: [users]
              egress: [local]
              protocols: [tcp, 132]
              fromPorts: [1024-65535]
              ports: [443, 8000-8080]
              log: true
            - name: backup
              action: allow
              fromPeers: [dc1]
              from: [10.30.5.0/24, 10.99.0.0/16]
              protocols: [icmp]
        """;

    [Fact]
    public void One_line_denies_everything()
    {
        BrokerConfig config = ConfigText.Parse(ConfigText.Valid + "\npolicy: {default: deny}");
        Assert.Equal(PolicyAction.Deny, config.Policy!.Default);
        Assert.Empty(config.Policy.Rules);
        Assert.Null(ConfigText.Parse(ConfigText.Valid).Policy);
    }

    [Fact]
    public void Rules_arrive_as_they_were_written()
    {
        BrokerConfig config = ConfigText.Parse(ConfigText.Valid + Rules);
        Assert.Equal(PolicyAction.Reject, config.Policy!.Default);
        uint number = 6;
        IReadOnlyList<PolicyRule> rules = PolicyRules.Of(config, _ => ++number);
        PolicyRule web = rules[0], backup = rules[1];
        Assert.Equal((7u, "web", PolicyAction.Allow, true), (web.Id, web.Name, web.Action, web.Log));
        Assert.Equal(["alice", "bob@example.net"], web.Users);
        Assert.Equal(["staff"], web.Groups);
        Assert.Equal(Prefixes("10.20.0.0/16", "fd00:20::/48", "192.0.2.1/32"), web.To);
        Assert.Equal([6, 132], web.Protocols);
        Assert.Equal([new PolicyPortRange(443), new PolicyPortRange(8000, 8080)], web.Ports);
        Assert.Equal([new PolicyPortRange(1024, 65535)], web.SourcePorts);
        Assert.Equal((PolicyRules.Users, PolicyRules.Local), (web.IngressKinds, web.EgressKinds));
        // Of what the rule names, only what is behind the peer (10.30.0.0/16).
        Assert.Equal(Prefixes("10.30.5.0/24"), backup.From);
        Assert.Equal((PolicyRules.Esp, 0u), (backup.IngressKinds, backup.EgressKinds));
        Assert.Equal([1, 58], backup.Protocols);
        Assert.Empty(ConfigLoader.Warnings(config));
    }

    [Theory]
    [InlineData("policy: {}", "policy.default: this key is missing")]
    [InlineData("policy: {default: banana}", "write one of: deny, allow, reject")]
    [InlineData("policy: {default: deny, rules: [{name: a}]}", "action: this key is missing")]
    [InlineData("policy: {default: deny, rules: [{action: allow}]}", "name: this key is missing")]
    [InlineData("policy: {default: deny, rules: [{name: default, action: allow}]}", "not \"default\"")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow}, {name: a, action: deny}]}", "is there twice")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, to: [dc]}]}", "there is no network \"dc\"")]
    [InlineData("policy: {default: deny, networks: {dc: [10.0.0.0/8]}, rules: [{name: a, action: allow, to: [cd]}]}", "one of: dc")]
    [InlineData("policy: {default: deny, networks: {dc: []}}", "an empty list would match everything")]
    [InlineData("policy: {default: deny, networks: {10.0.0.0: [10.0.0.0/8]}}", "must not look like an address")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, users: []}]}", "an empty list would match everything")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, to: [10.0.0.1/8]}]}", "has bits set")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, ports: [80-79]}]}", "is no port")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, ports: [65536]}]}", "is no port")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, protocols: [tpc]}]}", "is no protocol")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, protocols: [icmp], ports: [80]}]}", "has no ports")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, toPeers: [dc9]}]}", "there is no peer \"dc9\": name one of: dc1")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, toPeers: [dc1], to: [10.31.0.0/16]}]}", "is behind dc1: the rule would never match")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, toPeers: [dc1], egress: [local]}]}", "peers are behind esp")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, users: [bob], ingress: [local]}]}", "users open flows out of their tunnels only")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, groups: [\"a b\"]}]}", "cannot be a group's name")]
    [InlineData("policy: {default: deny, rules: [{name: a, action: allow, port: [80]}]}", "did you mean \"ports\"?")]
    [InlineData("limits: {flowsPerUser: 0}", "write a whole number from 1")]
    public void What_is_wrong_is_said(string section, string message)
    {
        string valid = section.StartsWith("limits", StringComparison.Ordinal) ? ConfigText.Valid.Replace("limits: {halfOpen: 100}", "", StringComparison.Ordinal) : ConfigText.Valid;
        var exception = Assert.Throws<ConfigException>(() => ConfigText.Parse(valid + "\n" + section));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_that_never_decides_is_named_with_the_one_above_it()
    {
        BrokerConfig config = ConfigText.Parse(ConfigText.Valid + """

            policy:
              default: deny
              rules:
                - {name: broad, action: deny, to: [10.0.0.0/8]}
                - {name: narrow, action: allow, users: [alice], to: [10.20.0.0/16], protocols: [tcp], ports: [443]}
                - {name: elsewhere, action: allow, to: [192.0.2.0/24]}
            """);
        string warning = Assert.Single(ConfigLoader.Warnings(config));
        Assert.Contains("\"narrow\" never decides: the rule \"broad\"", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Bounds_on_flows_are_off_until_they_are_set()
    {
        Assert.Equal((0, 0), (ConfigText.Parse(ConfigText.Valid).Limits.FlowsPerUser, ConfigText.Parse(ConfigText.Valid).Limits.NewFlowsPerUser));
        LimitsConfig limits = ConfigText.Parse(ConfigText.Valid.Replace("halfOpen: 100", "flowsPerUser: 200, newFlowsPerUser: 50", StringComparison.Ordinal)).Limits;
        Assert.Equal((200, 50), (limits.FlowsPerUser, limits.NewFlowsPerUser));
    }

    [Fact]
    public void A_policy_is_reloaded_where_sessions_are_kept_at_home()
    {
        var one = new LcoreConfig { Cpus = [-1] };
        BrokerConfig before = ConfigText.Parse(ConfigText.Valid) with { Lcores = one };
        BrokerConfig after = ConfigText.Parse(ConfigText.Valid + "\npolicy: {default: deny}") with { Lcores = one };
        Assert.Empty(RestartChecks.Differences(before, after));
        Assert.Single(RestartChecks.Differences(before with { Flows = before.Flows with { Enabled = false } }, after with { Flows = after.Flows with { Enabled = false } }));
        // With two lcores, sessions between networks get a home when the first policy comes.
        BrokerConfig two = ConfigText.Parse(ConfigText.Valid), twoAfter = ConfigText.Parse(ConfigText.Valid + "\npolicy: {default: deny}");
        Assert.Contains("flows", Assert.Single(RestartChecks.Differences(two, twoAfter)), StringComparison.Ordinal);
        Assert.Empty(RestartChecks.Differences(twoAfter, ConfigText.Parse(ConfigText.Valid + "\npolicy: {default: allow}")));
        Assert.True(twoAfter.KeepsFlows);
    }

    private static IPNetwork[] Prefixes(params string[] prefixes) => [.. prefixes.Select(IPNetwork.Parse)];
}
