using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.TestKit;
using VpnBroker.Authentication;
using VpnBroker.Cli;
using VpnBroker.Tests.Configuration;

namespace VpnBroker.Tests.Cli;

public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Help_lists_every_command_and_each_has_its_own()
    {
        (int code, string output, _) = await RunAsync("--help");
        Assert.Equal(ExitCode.Ok, code);
        foreach (Command command in BrokerCommands.All)
        {
            Assert.Contains(command.Path, output, StringComparison.Ordinal);
            (int ownCode, string own, _) = await RunAsync([.. command.Path.Split(' '), "--help"]);
            Assert.Equal(ExitCode.Ok, ownCode);
            Assert.StartsWith($"Usage: broker {command.Path}", own, StringComparison.Ordinal);
            Assert.All(command.Options, option => Assert.Contains(option.Name, own, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("banana", "There is no command \"banana\"")]
    [InlineData("", "Usage: broker COMMAND")]
    [InlineData("user", "Usage: broker user COMMAND")]
    [InlineData("user add", "NAME is missing")]
    [InlineData("user add a b", "\"b\" is too much")]
    [InlineData("user list --banana", "There is no option --banana")]
    [InlineData("user list --users", "--users needs a value")]
    [InlineData("user list --users a --users b", "--users is given twice")]
    [InlineData("status --json=yes", "--json takes no value")]
    public async Task Wrong_command_lines_are_told_apart(string words, string message)
    {
        (int code, _, string error) = await RunAsync(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--user alice --groups staff --to 10.20.0.5:443/tcp", "=> allow by \"web\"")]
    [InlineData("--user alice --groups staff --to 10.20.0.5:22", "=> deny by \"default\"")]
    [InlineData("--user alice --groups staff --to fd00:20::5/icmp", "=> allow by \"ping\"")]
    [InlineData("--from 10.20.0.5 --to 10.77.0.9:443/tcp", "passed over: user and groups differs")]
    public async Task The_rule_that_decides_is_told(string options, string message)
    {
        string config = _directory.File("broker.yaml");
        await File.WriteAllTextAsync(config, ConfigText.Valid + """

            policy:
              default: deny
              rules:
                - {name: web, action: allow, groups: [staff], protocols: [tcp], ports: [443]}
                - {name: ping, action: allow, protocols: [icmp]}
            """, TestContext.Current.CancellationToken);
        (int code, string output, string error) = await RunAsync(["policy", "test", "--config", config, .. options.Split(' ')]);
        Assert.Equal((ExitCode.Ok, ""), (code, error));
        Assert.Contains(message, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--user alice --groups staff", "--to is missing")]
    [InlineData("--to 10.20.0.5:443/tcp", "--from or --user is missing")]
    [InlineData("--from fd00::1 --to 10.20.0.5:443/tcp", "--from is no address of the destination's family")]
    [InlineData("--from 10.0.0.1 --to banana", "is no destination")]
    [InlineData("--from 10.0.0.1 --to 10.0.0.2/banana", "no protocol that is known")]
    public async Task A_question_that_is_not_whole_is_sent_back(string options, string message)
    {
        string config = _directory.File("broker.yaml");
        await File.WriteAllTextAsync(config, ConfigText.Valid + "\npolicy: {default: deny}\n", TestContext.Current.CancellationToken);
        (int code, _, string error) = await RunAsync(["policy", "test", "--config", config, .. options.Split(' ')]);
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_are_added_listed_and_removed()
    {
        string users = _directory.File("users");
        (int code, _, _) = await RunWithInputAsync("alice's password\n", "user", "add", "alice", "--group", "a,b", "--iterations=2000", "--users", users);
        Assert.Equal(ExitCode.Ok, code);
        Assert.True(UsersFile.Load(users).Find("alice")!.Hash.Matches("alice's password"));
        Assert.Equal("alice\ta,b", (await RunAsync("user", "list", "--users", users)).Output.Trim());
        Assert.Equal(ExitCode.Ok, (await RunAsync("user", "remove", "alice", "--users", users)).Code);
        (int again, _, string error) = await RunAsync("user", "remove", "alice", "--users", users);
        Assert.Equal(ExitCode.Failure, again);
        Assert.Contains("alice is not in", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_of_IKEv2_have_a_hash_that_follows_their_password()
    {
        string users = _directory.File("users"), ike = _directory.File("ike");
        string[] files = ["--users", users, "--ike-users", ike];
        (int code, string output, _) = await RunWithInputAsync("first password\n", ["user", "add", "alice", "--ikev2", "--iterations=2000", .. files]);
        Assert.Equal(ExitCode.Ok, code);
        Assert.Contains($"and in {ike} for IKEv2", output, StringComparison.Ordinal);
        await RunWithInputAsync("bob's password\n", ["user", "add", "bob", "--iterations=2000", .. files]);
        Assert.Equal("alice\tikev2\nbob", (await RunAsync(["user", "list", .. files])).Output.Trim());

        // Another password without --ikev2: the hash of the first must not stay.
        Assert.Equal(ExitCode.Ok, (await RunWithInputAsync("second password\n", ["user", "add", "alice", "--iterations=2000", .. files])).Code);
        byte[] hash = new byte[16], expected = new byte[16];
        EapPassword.Hash("second password", expected);
        using (var file = IkeUsersFile.Load(ike))
        {
            Assert.True(file.TryGetHash("alice", hash));
            Assert.Equal(expected, hash);
        }
        Assert.Equal(ExitCode.Ok, (await RunAsync(["user", "remove", "alice", "--ikev2", .. files])).Code);
        Assert.Equal(ExitCode.Failure, (await RunAsync(["user", "remove", "alice", "--ikev2", .. files])).Code);
        Assert.NotNull(UsersFile.Load(users).Find("alice"));
        await RunWithInputAsync("third password\n", ["user", "add", "alice", "--ikev2", "--iterations=2000", .. files]);
        Assert.Equal(ExitCode.Ok, (await RunAsync(["user", "remove", "alice", .. files])).Code);
        using (var file = IkeUsersFile.Load(ike))
            Assert.Empty(file.Users);
        // MS-CHAPv2 knows no longer ones.
        (code, _, string error) = await RunWithInputAsync(new string('x', 257) + "\n", ["user", "add", "carol", "--ikev2", .. files]);
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("at most 256 characters", error, StringComparison.Ordinal);
        Assert.Contains("ikeUsersFile", (await RunWithInputAsync("a password\n", "user", "add", "carol", "--ikev2", "--users", users)).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("short\n", "alice", ExitCode.Failure)]
    [InlineData("", "alice", ExitCode.Failure)]
    [InlineData("a good password\n", "al:ice", ExitCode.Usage)]
    public async Task Bad_passwords_and_names_change_nothing(string input, string name, int expected)
    {
        string users = _directory.File("users");
        (int code, _, string error) = await RunWithInputAsync(input, "user", "add", name, "--users", users);
        Assert.Equal(expected, code);
        Assert.NotEmpty(error);
        Assert.False(File.Exists(users));
    }

    [Fact]
    public async Task A_configuration_is_checked()
    {
        string file = _directory.File("broker.yaml");
        await File.WriteAllTextAsync(file, ConfigText.Valid, TestContext.Current.CancellationToken);
        (int code, string output, _) = await RunAsync("config", "check", file);
        Assert.Equal(ExitCode.Ok, code);
        Assert.Contains("is valid", output, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, ConfigText.Valid.Replace("mtu: 1400", "mtu: big", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        (code, _, string error) = await RunAsync("config", "check", file);
        Assert.Equal(ExitCode.Failure, code);
        Assert.StartsWith($"{file}:6: defaults.mtu: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_state_file_and_the_certificate_are_made()
    {
        string file = _directory.File("broker.yaml");
        await File.WriteAllTextAsync(file, ConfigText.Valid, TestContext.Current.CancellationToken);
        Assert.Contains("is ready", (await RunAsync("esp", "init-state", "--config", file)).Output, StringComparison.Ordinal);
        Assert.Contains("knew every key already", (await RunAsync("esp", "init-state", "--config", file)).Output, StringComparison.Ordinal);
        Assert.True(File.Exists(_directory.File("esp-state")));
        string pin = (await RunAsync("certificate", "show", "--config", file)).Output.Trim();
        Assert.Matches("^pin-sha256:[A-Za-z0-9+/]{43}=$", pin);
        Assert.Equal(pin, (await RunAsync("certificate", "show", "--config", file)).Output.Trim());
    }

    [Fact]
    public async Task Without_a_broker_the_control_commands_fail_and_say_why()
    {
        foreach (string[] words in new string[][] { ["status"], ["disconnect", "alice"], ["reload"] })
        {
            (int code, _, string error) = await RunAsync([.. words, "--socket", _directory.File("none.sock")]);
            Assert.Equal(ExitCode.Failure, code);
            Assert.Contains("no broker answers", error, StringComparison.Ordinal);
        }
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] words) => RunWithInputAsync("", words);

    private static async Task<(int Code, string Output, string Error)> RunWithInputAsync(string input, params string[] words)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await new CommandLine(BrokerCommands.All).RunAsync(words, new CommandConsole(new StringReader(input), output, error, InputIsTerminal: false));
        return (code, output.ToString(), error.ToString());
    }
}
