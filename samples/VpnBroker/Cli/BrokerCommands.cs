using VpnBroker.Cli.Commands;

namespace VpnBroker.Cli;

/// <summary>The program's commands.</summary>
public static class BrokerCommands
{
    /// <summary>Where the configuration is when no option says otherwise.</summary>
    public const string DefaultConfig = "/etc/cryptoplane/broker.yaml";

    private static readonly CommandOption s_config = new("--config", "FILE", $"the configuration file (default {DefaultConfig})");
    private static readonly CommandOption s_socket = new("--socket", "PATH", "the control socket (default: the configuration's)");
    private static readonly CommandOption s_users = new("--users", "FILE", "the users file (default: the configuration's)");
    private static readonly CommandOption s_ikeUsers = new("--ike-users", "FILE", "the file of NT hashes for IKEv2 (default: the configuration's)");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Command> All { get; } =
    [
        new Command("run", "Run the broker until SIGTERM or SIGINT", [], [s_config], RunCommand.RunAsync)
        {
            Details = "SIGHUP reads the configuration, the users file and the certificate again; tunnels survive, and a wrong file changes nothing.",
        },
        new Command("config check", "Check a configuration file and say what is wrong, with line numbers", ["FILE"], [], ConfigCommands.CheckAsync),
        new Command("certificate show", "Print the server certificate's pin, after making the certificate when it may be self-signed and does not exist", [], [s_config], CertificateCommands.ShowAsync),
        new Command("user add", "Add a user, or give one a new password and groups", ["NAME"],
            [new("--group", "GROUP[,GROUP]", "the user's groups"), new("--iterations", "N", "PBKDF2 iterations (default 600000)"),
                new("--ikev2", null, "let the user log in by IKEv2 too, which writes an NT hash: as secret as the password"), s_users, s_ikeUsers, s_config], UserCommands.AddAsync)
        {
            Details = "The password is read from the terminal, or as one line of standard input. A running broker sees the change at the next log-in.\n"
                + "A user who has an NT hash gets a new one with every new password. docs/broker.md says what the hash means.",
        },
        new Command("user remove", "Remove a user (end their sessions with: broker disconnect NAME)", ["NAME"],
            [new("--ikev2", null, "remove the NT hash only: the user logs in by openconnect as before"), s_users, s_ikeUsers, s_config], UserCommands.RemoveAsync),
        new Command("user list", "List the users, their groups, and who may log in by IKEv2", [], [s_users, s_ikeUsers, s_config], UserCommands.ListAsync),
        new Command("esp init-state", "Make the ESP state file, or add new keys to it", [], [s_config], EspCommands.InitStateAsync)
        {
            Details = "The file says which sequence numbers of each static key were used. Run this once for new keys; never for keys that\nwere used with a state file that is lost: make new keys then.",
        },
        new Command("status", "Show tunnels, rates, drops by reason and GC pauses of the running broker", [],
            [new("--json", null, "print all counters and rates as JSON"), new("--watch", null, "print again every second until interrupted"), new("--no-users", null, "leave the list of users out"), s_socket, s_config],
            StatusCommand.RunAsync),
        new Command("flows", "Show the sessions inside of tunnels: who talks with whom, how much, and what was dropped", [],
            [.. FlowsCommand.Options, s_socket, s_config], FlowsCommand.RunAsync)
        {
            Details = "Conditions that are given must all hold. Rates are of two readings, a second apart. Example: broker flows --user alice --port 443 --sort bytes",
        },
        new Command("capture", "Capture packets of the running broker into a pcapng file", [], [.. CaptureCommand.Options, s_socket, s_config], CaptureCommand.RunAsync)
        {
            Details = "Every capture is bounded, and ends when this command does. Example: broker capture --port udp:192.0.2.1:4500 --filter \"spi 0x01000001\" -o esp.pcapng",
        },
        new Command("ipsec up", "Bring an IPsec peer's tunnels up, and wait until they are", ["PEER"],
            [new("--no-wait", null, "do not wait"), s_socket, s_config], IpsecCommands.UpAsync),
        new Command("ipsec down", "Take an IPsec peer's tunnels down", ["PEER"], [s_socket, s_config], IpsecCommands.DownAsync)
        {
            Details = "They stay down until: broker ipsec up PEER, a restart, or until the peer brings them up.",
        },
        new Command("ipsec list", "List the IPsec peers, their IKE SAs and pairs of ESP SAs", [], [s_socket, s_config], IpsecCommands.ListAsync),
        new Command("ipsec rekey", "Give an IPsec peer's tunnels new keys", ["PEER"],
            [new("--ike", null, "rekey the IKE SA instead of the ESP SAs"), s_socket, s_config], IpsecCommands.RekeyAsync),
        new Command("policy list", "List the rules of the running broker's policy, and what each has decided", [], [s_socket, s_config], PolicyCommands.ListAsync),
        new Command("policy test", "Say which rule of the configuration decides about a flow", [], [.. PolicyCommands.TestOptions, s_users, s_config], PolicyCommands.TestAsync)
        {
            Details = "The file is asked, not the running broker. Example: broker policy test --user alice --to 10.20.0.5:443/tcp",
        },
        new Command("disconnect", "End all sessions of a user", ["USER"], [s_socket, s_config], ControlCommands.DisconnectAsync),
        new Command("reload", "Read the configuration again, as SIGHUP does, and say what is wrong with it", [], [s_socket, s_config], ControlCommands.ReloadAsync),
    ];
}
