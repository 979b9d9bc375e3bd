using CryptoPlane.TestKit;
using VpnBroker.Authentication;

namespace VpnBroker.Tests.Authentication;

public class UsersFileTests
{
    private const string Hash = "pbkdf2-sha256$1000$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    [Fact]
    public void Users_are_read_with_their_groups()
    {
        UsersFile file = UsersFile.Parse("users", $"# comment\n\nalice:engineers,guests:{Hash}\nbob::{Hash}\r\n");
        Assert.Equal(["engineers", "guests"], file.Find("alice")!.Groups);
        Assert.Empty(file.Find("bob")!.Groups);
        Assert.Null(file.Find("Alice"));
        Assert.Equal(1000, file.MaxIterations);
    }

    [Theory]
    [InlineData("alice", ":1: write name:group")]
    [InlineData("alice:g", ":1: write name:group")]
    [InlineData("a b:g:" + Hash, ":1: write name:group")]
    [InlineData("alice:g, h:" + Hash, ":1: separate group names by commas")]
    [InlineData("alice:g:secret", ":1: the hash must look like")]
    [InlineData("alice:g:pbkdf2-sha256$10$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", ":1: the hash must look like")]
    [InlineData("alice:g:pbkdf2-sha256$1000$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", ":1: the hash must look like")]
    [InlineData("alice:g:" + Hash + "\nalice:g:" + Hash, ":2: the user alice is there twice")]
    public void Wrong_lines_are_named(string text, string message) =>
        Assert.Contains(message, Assert.Throws<UsersFileException>(() => UsersFile.Parse("users", text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Users_are_added_replaced_and_removed_and_comments_stay()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.File("users");
        UsersFile.Set(path, new UserEntry("alice", ["engineers"], PasswordHash.Create("correct horse", 1000)));
        File.AppendAllText(path, "# a remark\n");
        UsersFile.Set(path, new UserEntry("bob", [], PasswordHash.Create("battery staple", 1000)));
        UsersFile.Set(path, new UserEntry("alice", ["guests"], PasswordHash.Create("another one", 1000)));
        UsersFile file = UsersFile.Load(path);
        Assert.Equal(["guests"], file.Find("alice")!.Groups);
        Assert.True(file.Find("alice")!.Hash.Matches("another one"));
        Assert.False(file.Find("alice")!.Hash.Matches("correct horse"));
        Assert.True(UsersFile.Remove(path, "alice"));
        Assert.False(UsersFile.Remove(path, "alice"));
        Assert.Null(UsersFile.Load(path).Find("alice"));
        Assert.Contains("# a remark", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void Truncations_and_mutations_give_users_or_an_error_with_a_line()
    {
        string text = $"# c\nalice:engineers,guests:{Hash}\nbob::{Hash}\n";
        var random = new Random(3);
        for (int i = 0; i < 100_000; i++)
        {
            char[] changed = text.ToCharArray();
            changed[random.Next(changed.Length)] = (char)random.Next(1, 300);
            try
            {
                UsersFile.Parse("users", new string(changed, 0, i < text.Length ? i : changed.Length));
            }
            catch (UsersFileException e)
            {
                Assert.Matches("^users:[1-4]: ", e.Message);
            }
        }
    }
}
