using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using CryptoPlane.Policy;
using VpnBroker.Authentication;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Parsing;
using VpnBroker.Control;
using VpnBroker.DataPlane.Policy;
using VpnBroker.Status;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker policy …</c></summary>
internal static class PolicyCommands
{
    /// <summary>A port that clients' systems choose of themselves.</summary>
    private const ushort SomePort = 49152;

    /// <summary>The options of <c>policy test</c> besides the configuration.</summary>
    public static IReadOnlyList<CommandOption> TestOptions { get; } =
    [
        new("--user", "USER", "who opens the flow; without it nobody whom rules about users are about"),
        new("--groups", "GROUP[,GROUP]", "the user's groups (default: those of the users file)"),
        new("--from", "ADDRESS[:PORT]", "where it comes from (default: some address of the user's pool)"),
        new("--to", "ADDRESS[:PORT][/PROTOCOL]", "where it goes, such as 10.20.0.5:443/tcp or 10.20.0.5/icmp"),
    ];

    /// <summary>Lists the rules of the running broker with their counters.</summary>
    public static Task<int> ListAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        ControlResponse response = ControlClient.Send(ControlCommands.SocketOf(invocation), new ControlRequest("status", Users: false));
        StatusReport report = response.Status ?? throw new ControlSocketException(response.Error ?? "the broker gave no report");
        var text = new StringBuilder();
        if (report.Policy is { } policy)
            PolicyText.Write(text, policy);
        else
            text.Append("the configuration has no policy section: every flow passes\n");
        invocation.Console.Out.Write(text.ToString());
        return ExitCode.Ok;
    });

    /// <summary>Says which rule of the configuration decides about a flow, and why the ones before it do not.</summary>
    public static Task<int> TestAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        BrokerConfig config = CommandErrors.LoadConfig(invocation);
        if (config.Policy is null)
        {
            invocation.Console.Out.WriteLine("the configuration has no policy section: every flow passes");
            return ExitCode.Ok;
        }
        if (FlowOf(invocation, config, out string problem) is not { } flow)
        {
            invocation.Console.Error.WriteLine($"{problem}: \"broker policy test --help\" shows how.");
            return ExitCode.Usage;
        }
        invocation.Console.Out.Write(Describe(config, flow));
        return ExitCode.Ok;
    });

    private static string Describe(BrokerConfig config, PolicyTraceFlow flow)
    {
        PolicyQuery query = PolicyTrace.QueryOf(config, flow);
        var text = new StringBuilder();
        string who = flow.Who is { } subject ? $"user {subject.User} (groups: {(subject.Groups.Count == 0 ? "none" : string.Join(", ", subject.Groups))})" : "no user";
        text.Append(CultureInfo.InvariantCulture, $"{who}, from {Place(flow.Source, query.HasPorts ? flow.SourcePort : null)} ({Kind(query.Ingress)}) to {Place(flow.Destination, flow.DestinationPort)}/{PolicyValues.NameOf(flow.Protocol)} ({Kind(query.Egress)})\n");
        if (query.Egress == 0)
            text.Append("the configuration has no route there: rules with egress do not match, and the packet would be dropped in any case\n");
        IReadOnlyList<PolicyTraceStep> steps = PolicyTrace.Explain(config, flow);
        var table = new TextTable("rule", "action", "");
        foreach (PolicyTraceStep step in steps)
            table.Add(step.Name, Word(step.Action), step.Mismatch is { } mismatch ? $"passed over: {mismatch} differs" : "decides");
        table.Write(text);
        return text.Append(CultureInfo.InvariantCulture, $"=> {Word(steps[^1].Action)} by \"{steps[^1].Name}\"\n").ToString();
    }

    private static PolicyTraceFlow? FlowOf(Invocation invocation, BrokerConfig config, out string problem)
    {
        problem = "--to is missing";
        if (!invocation.Has("--to"))
            return null;
        string to = invocation.Get("--to", "");
        int slash = to.LastIndexOf('/');
        problem = $"\"{to}\" is no destination";
        if (!TryPlace(slash < 0 ? to : to[..slash], out IPAddress? destination, out ushort? port))
            return null;
        problem = $"\"{to}\" has no protocol that is known";
        if (!PolicyValues.TryProtocol(slash < 0 ? "tcp" : to[(slash + 1)..], out IReadOnlyList<byte>? protocols))
            return null;
        // Of a name for both families (icmp), the number of this one.
        byte protocol = destination.AddressFamily == AddressFamily.InterNetworkV6 ? protocols[^1] : protocols[0];

        PolicySubject? who = WhoOf(invocation, config);
        problem = who is null ? "--from or --user is missing" : "--from is missing: the user's pool has no address of that family";
        IPAddress? source;
        ushort? sourcePort = null;
        if (invocation.Has("--from"))
        {
            problem = "--from is no address of the destination's family";
            if (!TryPlace(invocation.Get("--from", ""), out source, out sourcePort))
                return null;
        }
        else
        {
            source = who is null ? null : PoolAddress(config, who, destination.AddressFamily);
        }
        return source?.AddressFamily != destination.AddressFamily ? null : new PolicyTraceFlow(who, source, sourcePort ?? SomePort, destination, port, protocol);
    }

    private static PolicySubject? WhoOf(Invocation invocation, BrokerConfig config)
    {
        if (!invocation.Has("--user"))
            return null;
        string user = invocation.Get("--user", "");
        if (invocation.Has("--groups"))
            return new PolicySubject(user, invocation.Get("--groups", "").Split(',', StringSplitOptions.RemoveEmptyEntries));
        string? file = invocation.Has("--users") ? Path.GetFullPath(invocation.Get("--users", "")) : config.Authentication?.UsersFile;
        UserEntry? entry = file is null ? null : UsersFile.Load(file).Find(user);
        if (entry is null)
            throw new UsersFileException($"there is no user {user} in the users file: say which groups the user is in, by --groups");
        return new PolicySubject(user, entry.Groups);
    }

    private static IPAddress? PoolAddress(BrokerConfig config, PolicySubject who, AddressFamily family)
    {
        ProfileConfig? profile = config.Groups.FirstOrDefault(group => who.Groups.Contains(group.Name))?.Profile ?? config.DefaultProfile;
        PoolConfig? pool = config.Pools.FirstOrDefault(pool => pool.Name == profile?.Pool);
        return (family == AddressFamily.InterNetwork ? pool?.IPv4 : pool?.IPv6)?.BaseAddress;
    }

    /// <summary>An address, with a port or without: <c>192.0.2.1</c>, <c>192.0.2.1:53</c>, <c>2001:db8::1</c>, <c>[2001:db8::1]:53</c>.</summary>
    private static bool TryPlace(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPAddress? address, out ushort? port)
    {
        port = null;
        if (IPAddress.TryParse(text, out address) && !text.StartsWith('['))
            return true;
        if (!IPEndPoint.TryParse(text, out IPEndPoint? endpoint))
            return false;
        address = endpoint.Address;
        port = text.EndsWith(']') ? null : (ushort)endpoint.Port;
        return true;
    }

    private static string Place(IPAddress address, ushort? port) => port is { } number ? new IPEndPoint(address, number).ToString() : address.ToString();

    private static string Kind(byte kind) => (1u << kind) switch
    {
        PolicyRules.Users => "users",
        PolicyRules.Esp => "esp",
        uint bit when (bit & PolicyRules.Local) != 0 => "local",
        _ => "no route",
    };

    private static string Word(PolicyAction action) => action.ToString().ToLowerInvariant();
}
