using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Tests.Configuration;

/// <summary>Whatever the file holds, the loader gives a configuration or a <see cref="ConfigException"/> with lines, and nothing else.</summary>
public class ConfigMutationTests
{
    private const string Small = """
        listen: ["127.0.0.1:4433"]
        certificate: {certificateFile: a, keyFile: b}
        authentication: {usersFile: c}
        defaults: {pool: p, dpd: 30s, include: [10.0.0.0/8]}
        pools: [{name: p, ipv4: 10.77.0.0/16}]
        """;

    [Fact]
    public void Truncated_at_every_length()
    {
        for (int length = 0; length < ConfigText.Valid.Length; length++)
            Load(ConfigText.Valid[..length]);
    }

    [Fact]
    public void Mutated_at_random()
    {
        const string alphabet = "{}[]:,-#&*!|>'\"%@`~ \n\t\0\\0x9aé\uD800\uFFFF";
        var random = new Random(20261121);
        int refused = 0;
        for (int i = 0; i < 100_000; i++)
        {
            char[] text = Small.ToCharArray();
            for (int changes = random.Next(1, 4); changes > 0; changes--)
                text[random.Next(text.Length)] = alphabet[random.Next(alphabet.Length)];
            int start = random.Next(4) == 0 ? random.Next(text.Length) : 0;
            if (!Load(new string(text, start, text.Length - start)))
                refused++;
        }
        Assert.InRange(refused, 50_000, 99_999);
    }

    [Fact]
    public void Nesting_is_bounded() => Assert.False(Load(string.Concat(Enumerable.Repeat("[", 100_000))));

    [Fact]
    public void Size_is_bounded() => Assert.False(Load(new string('#', YamlText.MaxLength + 1)));

    private static bool Load(string text)
    {
        try
        {
            ConfigText.Parse(text);
            return true;
        }
        catch (ConfigException e)
        {
            Assert.NotEmpty(e.Errors);
            Assert.All(e.Errors, error => Assert.True(error.Line >= 1));
            return false;
        }
    }
}
