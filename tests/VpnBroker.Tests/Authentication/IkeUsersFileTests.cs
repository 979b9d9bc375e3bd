using System.Text;
using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.TestKit;
using VpnBroker.Authentication;

namespace VpnBroker.Tests.Authentication;

public class IkeUsersFileTests
{
    private const string Hash = "8846f7eaee8fb117ad06bdd830b7586c";

    [Fact]
    public void Hashes_are_read_and_are_gone_with_the_object()
    {
        IkeUsersFile file = Parse($"# comment\n\nalice:{Hash}\r\nbob:{Hash.ToUpperInvariant()}\n");
        Assert.Equal(["alice", "bob"], file.Users.Order());
        byte[] hash = new byte[16], expected = new byte[16];
        EapPassword.Hash("password", expected);
        Assert.True(file.TryGetHash("alice", hash));
        Assert.Equal(expected, hash);
        Assert.True(file.TryGetHash("bob", hash));
        Assert.False(file.TryGetHash("Alice", hash));
        file.Dispose();
        Assert.False(file.TryGetHash("alice", hash));
    }

    [Theory]
    [InlineData("alice", ":1: write name:hash")]
    [InlineData(":" + Hash, ":1: write name:hash")]
    [InlineData("a b:" + Hash, ":1: write name:hash")]
    [InlineData("alice:" + Hash + "0", ":1: the NT hash of alice has 32")]
    [InlineData("alice:" + Hash + "00", ":1: the NT hash of alice has 32")]
    [InlineData("alice:8846f7eaee8fb117ad06bdd830b758", ":1: the NT hash of alice has 32")]
    [InlineData("alice:secret", ":1: the NT hash of alice has 32")]
    [InlineData("alice:", ":1: the NT hash of alice has 32")]
    [InlineData("alice:" + Hash + "\nalice:" + Hash, ":2: the user alice is there twice")]
    public void Wrong_lines_are_named_but_not_what_may_be_a_secret(string text, string message)
    {
        string said = Assert.Throws<UsersFileException>(() => Parse(text)).Message;
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", said, StringComparison.Ordinal);
        Assert.DoesNotContain(Hash, said, StringComparison.Ordinal);
    }

    [Fact]
    public void Users_are_added_replaced_and_removed_in_a_file_that_is_its_owners_alone()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.File("ike-users");
        byte[] first = [.. Enumerable.Range(0, 16).Select(i => (byte)i)], second = [.. first.Reverse()], read = new byte[16];
        Assert.False(IkeUsersFile.Remove(path, "alice"));
        IkeUsersFile.Set(path, "alice", first);
        File.AppendAllText(path, "# a remark");
        IkeUsersFile.Set(path, "bob", first);
        IkeUsersFile.Set(path, "alice", second);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        using (var file = IkeUsersFile.Load(path))
        {
            Assert.True(file.TryGetHash("alice", read));
            Assert.Equal(second, read);
            Assert.True(file.TryGetHash("bob", read));
            Assert.Equal(first, read);
        }
        Assert.True(IkeUsersFile.Remove(path, "alice"));
        Assert.False(IkeUsersFile.Remove(path, "alice"));
        using (var file = IkeUsersFile.Load(path))
            Assert.Equal(["bob"], file.Users);
        Assert.Contains("# a remark\n", File.ReadAllText(path), StringComparison.Ordinal);

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<UsersFileException>(() => IkeUsersFile.Load(path)).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<UsersFileException>(() => IkeUsersFile.Load(directory.File("none"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncations_and_mutations_give_users_or_an_error_with_a_line()
    {
        byte[] text = Encoding.ASCII.GetBytes($"# c\nalice:{Hash}\nbob:{Hash}\n");
        for (int length = 0; length <= text.Length; length++)
            Try(text.AsSpan(0, length));
        var random = new Random(5);
        for (int i = 0; i < 50_000; i++)
        {
            byte[] changed = [.. text];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            Try(changed);
        }

        static void Try(ReadOnlySpan<byte> text)
        {
            try
            {
                IkeUsersFile.Parse("ike", text).Dispose();
            }
            catch (UsersFileException e)
            {
                Assert.Matches("^ike:[1-9][0-9]?: ", e.Message);
            }
        }
    }

    private static IkeUsersFile Parse(string text) => IkeUsersFile.Parse("ike", Encoding.ASCII.GetBytes(text));
}
