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
            [new("--group", "GROUP[,GROUP]", "the user's groups"), new("--iterations", "N", "PBKDF2 iterations (default 600000)"), s_users, s_config], UserCommands.AddAsync)
        {
            Details = "The password is read from the terminal, or as one line of standard input. A running broker sees the change at the next log-in.",
        },
        new Command("user remove", "Remove a user (end their sessions with: broker disconnect NAME)", ["NAME"], [s_users, s_config], UserCommands.RemoveAsync),
        new Command("user list", "List the users and their groups", [], [s_users, s_config], UserCommands.ListAsync),
        new Command("esp init-state", "Make the ESP state file, or add new keys to it", [], [s_config], EspCommands.InitStateAsync)
        {
            Details = "The file says which sequence numbers of each static key were used. Run this once for new keys; never for keys that\nwere used with a state file that is lost: make new keys then.",
        },
        new Command("status", "Show tunnels, rates, drops by reason and GC pauses of the running broker", [],
            [new("--json", null, "print one sample of all counters as JSON"), new("--watch", null, "print again every two seconds until interrupted"), new("--no-users", null, "leave the list of users out"), s_socket, s_config],
            StatusCommand.RunAsync),
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
        new Command("disconnect", "End all sessions of a user", ["USER"], [s_socket, s_config], ControlCommands.DisconnectAsync),
        new Command("reload", "Read the configuration again, as SIGHUP does, and say what is wrong with it", [], [s_socket, s_config], ControlCommands.ReloadAsync),
    ];
}
