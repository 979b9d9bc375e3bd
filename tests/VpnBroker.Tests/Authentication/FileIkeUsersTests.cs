using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Authentication;
using VpnBroker.Configuration;

namespace VpnBroker.Tests.Authentication;

public sealed class FileIkeUsersTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly byte[] _hash = new byte[16];

    public FileIkeUsersTests()
    {
        EapPassword.Hash("correct horse", _hash);
        Add("alice", "staff");
        IkeUsersFile.Set(Hashes, "alice", _hash);
        Add("bob");
        IkeUsersFile.Set(Hashes, "mallory", _hash);
    }

    private string Users => _directory.File("users");

    private string Hashes => _directory.File("hashes");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_user_is_in_both_files()
    {
        using FileIkeUsers users = Open();
        byte[] hash = new byte[16];
        Assert.True(users.TryGetHash("alice", hash));
        Assert.Equal(_hash, hash);
        Assert.Equal(["staff"], users.GroupsOf("alice"));
        // bob has no password for IKEv2, and may come by certificate; mallory is nobody any more.
        Assert.False(users.TryGetHash("bob", hash));
        Assert.Empty(users.GroupsOf("bob")!);
        Assert.False(users.TryGetHash("mallory", hash));
        Assert.Null(users.GroupsOf("mallory"));
    }

    [Fact]
    public void Changes_count_at_once_and_a_broken_file_changes_nothing()
    {
        using FileIkeUsers users = Open();
        byte[] hash = new byte[16];
        IkeUsersFile.Set(Hashes, "bob", _hash);
        Assert.True(users.TryGetHash("bob", hash));
        File.AppendAllText(Hashes, "broken\n");
        Assert.True(users.TryGetHash("bob", hash));
        Assert.Throws<UsersFileException>(users.Refresh);
        UsersFile.Remove(Users, "bob");
        Assert.False(users.TryGetHash("bob", hash));
    }

    [Fact]
    public void Without_a_file_of_hashes_nobody_has_a_password()
    {
        using var users = new FileIkeUsers(new AuthenticationConfig { UsersFile = Users }, () => UsersFile.Load(Users), NullLogger.Instance);
        Assert.False(users.TryGetHash("alice", new byte[16]));
        Assert.NotNull(users.GroupsOf("alice"));
    }

    private FileIkeUsers Open() => new(new AuthenticationConfig { UsersFile = Users, IkeUsersFile = Hashes }, () => UsersFile.Load(Users), NullLogger.Instance);

    private void Add(string name, params string[] groups) => UsersFile.Set(Users, new UserEntry(name, groups, PasswordHash.Create("correct horse", 1000)));
}
