using System.Net;
using CryptoPlane.TestKit;
using VpnBroker.Authentication;
using VpnBroker.Configuration;

namespace VpnBroker.Tests.Authentication;

public sealed class UsersFileAuthenticatorTests : IDisposable
{
    private static readonly AuthenticationContext s_context = new(new IPEndPoint(IPAddress.Loopback, 1), null);

    private readonly TemporaryDirectory _directory = new();
    private readonly string _path;
    private readonly UsersFileAuthenticator _authenticator;

    public UsersFileAuthenticatorTests()
    {
        _path = _directory.File("users");
        UsersFile.Set(_path, new UserEntry("alice", ["engineers"], PasswordHash.Create("alice's password", 2000)));
        UsersFile.Set(_path, new UserEntry("bob", [], PasswordHash.Create("bob's password", 5000)));
        _authenticator = new UsersFileAuthenticator(new AuthenticationConfig { UsersFile = _path });
    }

    public void Dispose()
    {
        _authenticator.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task The_right_password_is_accepted_with_the_groups()
    {
        var step = Assert.IsType<AuthenticationStep.Accepted>(await TryAsync("alice", "alice's password"));
        Assert.Equal("alice", step.User);
        Assert.Equal(["engineers"], step.Groups);
    }

    [Theory]
    [InlineData("alice", "bob's password", "wrong password")]
    [InlineData("alice", "", "wrong password")]
    [InlineData("carol", "alice's password", "unknown user")]
    [InlineData("", "", "unknown user")]
    public async Task Anything_else_is_rejected_with_a_reason_for_the_audit_log(string user, string password, string reason)
    {
        var step = Assert.IsType<AuthenticationStep.Rejected>(await TryAsync(user, password));
        Assert.Equal((user, reason), (step.User, step.Reason));
    }

    [Theory]
    [InlineData("alice", "alice's password")]
    [InlineData("alice", "wrong")]
    [InlineData("bob", "bob's password")]
    [InlineData("bob", "wrong")]
    [InlineData("nobody", "wrong")]
    public async Task Every_attempt_costs_the_same_work(string user, string password)
    {
        long before = _authenticator.IterationsSpent;
        await TryAsync(user, password);
        Assert.Equal(5000, _authenticator.IterationsSpent - before);
    }

    [Fact]
    public async Task A_changed_file_counts_at_the_next_attempt()
    {
        UsersFile.Set(_path, new UserEntry("dave", [], PasswordHash.Create("dave's password", 1000)));
        Assert.IsType<AuthenticationStep.Accepted>(await TryAsync("dave", "dave's password"));
        UsersFile.Remove(_path, "alice");
        Assert.IsType<AuthenticationStep.Rejected>(await TryAsync("alice", "alice's password"));
    }

    [Fact]
    public async Task A_broken_file_leaves_the_users_of_before()
    {
        File.WriteAllText(_path, "nonsense\n");
        Assert.IsType<AuthenticationStep.Accepted>(await TryAsync("alice", "alice's password"));
        var step = Assert.IsType<AuthenticationStep.Rejected>(await TryAsync("alice", "wrong"));
        Assert.Contains("the users of before still count", step.Reason, StringComparison.Ordinal);
    }

    private ValueTask<AuthenticationStep> TryAsync(string user, string password) => _authenticator.Begin(s_context).AnswerAsync(
        new Dictionary<string, string> { ["username"] = user, ["password"] = password }, TestContext.Current.CancellationToken);
}
