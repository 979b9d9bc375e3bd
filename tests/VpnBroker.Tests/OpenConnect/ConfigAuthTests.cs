using System.Text;
using System.Xml;
using VpnBroker.Authentication;
using VpnBroker.OpenConnect;

namespace VpnBroker.Tests.OpenConnect;

public class ConfigAuthTests
{
    private const string Reply = """
        <?xml version="1.0" encoding="UTF-8"?>
        <config-auth client="vpn" type="auth-reply"><version who="vpn">v9.01</version><device-id>linux-64</device-id>
        <auth><username>alice</username><password>p&amp;&lt;ä</password></auth></config-auth>
        """;

    [Fact]
    public void The_clients_answer_is_read()
    {
        ConfigAuthRequest request = ConfigAuthRequest.TryParse(Encoding.UTF8.GetBytes(Reply))!;
        Assert.Equal(ConfigAuthType.AuthReply, request.Type);
        Assert.Equal("alice", request.Answers["username"]);
        Assert.Equal("p&<ä", request.Answers["password"]);
        Assert.Equal(2, request.Answers.Count);
    }

    [Theory]
    [InlineData("<config-auth type=\"init\"><version/></config-auth>", ConfigAuthType.Init)]
    [InlineData("<config-auth type=\"logout\"/>", ConfigAuthType.Logout)]
    public void Other_requests_are_read(string text, ConfigAuthType expected) =>
        Assert.Equal(expected, ConfigAuthRequest.TryParse(Encoding.UTF8.GetBytes(text))!.Type);

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("<config-auth/>")]
    [InlineData("<config-auth type=\"root\"/>")]
    [InlineData("<other type=\"init\"/>")]
    [InlineData("<config-auth type=\"init\">")]
    [InlineData("<config-auth type=\"init\"/><x/>")]
    [InlineData("<?xml version=\"1.0\" encoding=\"nonsense\"?><config-auth type=\"init\"/>")]
    [InlineData("<!DOCTYPE config-auth><config-auth type=\"init\"/>")]
    [InlineData("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><config-auth type=\"auth-reply\"><auth><username>&e;</username></auth></config-auth>")]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><config-auth type=\"init\">&b;</config-auth>")]
    [InlineData("<config-auth type=\"auth-reply\"><auth><a>1</a><a>2</a></auth></config-auth>")]
    public void Other_documents_are_refused(string text) => Assert.Null(ConfigAuthRequest.TryParse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Depth_length_and_number_are_bounded()
    {
        string deep = string.Concat(Enumerable.Repeat("<a>", 50)) + string.Concat(Enumerable.Repeat("</a>", 50));
        Assert.Null(Parse($"<config-auth type=\"init\">{deep}</config-auth>"));
        Assert.Null(Parse($"<config-auth type=\"auth-reply\"><auth><password>{new string('x', 5000)}</password></auth></config-auth>"));
        Assert.Null(Parse($"<config-auth type=\"init\">{new string('x', 70_000)}</config-auth>"));
        string many = string.Concat(Enumerable.Range(0, 40).Select(i => $"<f{i}/>"));
        Assert.Null(Parse($"<config-auth type=\"auth-reply\"><auth>{many}</auth></config-auth>"));
    }

    [Fact]
    public void Truncations_and_random_mutations_never_throw()
    {
        byte[] original = Encoding.UTF8.GetBytes(Reply);
        for (int length = 0; length < original.Length; length++)
            Assert.Null(ConfigAuthRequest.TryParse(original[..length]));
        var random = new Random(11);
        int understood = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] bytes = (byte[])original.Clone();
            for (int changes = random.Next(1, 4); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (ConfigAuthRequest.TryParse(bytes) is not null)
                understood++;
        }
        Assert.InRange(understood, 1, 99_999);
    }

    [Fact]
    public void Forms_are_escaped_and_begin_as_the_client_expects()
    {
        var form = new AuthenticationForm("a < b & \"c\"", [new FormField("username", "User <name>:", Secret: false), new FormField("password", "P:", Secret: true)]);
        byte[] bytes = ConfigAuthDocuments.Form(form, failed: true);
        Assert.StartsWith("<?xml", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        var document = new XmlDocument();
        document.Load(new MemoryStream(bytes));
        Assert.Equal("auth-request", document.DocumentElement!.GetAttribute("type"));
        Assert.Equal("a < b & \"c\"", document.SelectSingleNode("//message")!.InnerText);
        Assert.NotNull(document.SelectSingleNode("//error"));
        Assert.Equal("/auth", document.SelectSingleNode("//form/@action")!.Value);
        Assert.Equal("User <name>:", document.SelectSingleNode("//input[@type='text']/@label")!.Value);
        Assert.Equal("password", document.SelectSingleNode("//input[@type='password']/@name")!.Value);
    }

    private static ConfigAuthRequest? Parse(string text) => ConfigAuthRequest.TryParse(Encoding.UTF8.GetBytes(text));
}
