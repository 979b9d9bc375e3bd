using System.Net;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.KeyLog;
using CryptoPlane.Ike.Tests.Crypto;

namespace CryptoPlane.Ike.Tests.KeyLog;

public class KeyLogTests
{
    [Fact]
    public void An_IKE_SA_is_a_line_of_the_decryption_table()
    {
        using IkeKeys keys = RecordedMessages.FirstKeys();
        string ei = Convert.ToHexStringLower(StrongSwanRecording.SkEi), er = Convert.ToHexStringLower(StrongSwanRecording.SkEr);
        Assert.Equal($"0102030405060708,00000000000000ff,{ei},{er},\"AES-GCM-256 with 16 octet ICV [RFC5282]\",,,\"NONE [RFC4306]\"",
            IkeKeyLogLine.Create(keys, 0x0102030405060708, 0xFF));
    }

    [Theory]
    [InlineData(EspCipher.Aes128Gcm16, "AES-GCM with 16 octet ICV [RFC4106]", 20, "NULL")]
    [InlineData(EspCipher.Aes256Gcm16, "AES-GCM with 16 octet ICV [RFC4106]", 36, "NULL")]
    [InlineData(EspCipher.Aes256CbcHmacSha256, "AES-CBC [RFC3602]", 32, "HMAC-SHA-256-128 [RFC4868]")]
    public void A_child_SA_is_two_lines_of_the_ESP_table(EspCipher cipher, string encryption, int length, string integrity)
    {
        using ChildKeys keys = MakeKeys(cipher);
        IReadOnlyList<string> lines = EspKeyLogLine.Create(MakeChild(keys));
        string inKey = Convert.ToHexStringLower(keys.ResponderEncryption), outKey = Convert.ToHexStringLower(keys.InitiatorEncryption);
        string inMac = integrity == "NULL" ? "" : "0x" + Convert.ToHexStringLower(keys.ResponderIntegrity);
        Assert.Equal(2 * length, inKey.Length);
        Assert.Equal(2, lines.Count);
        Assert.Equal($"\"IPv4\",\"192.0.2.2\",\"192.0.2.1\",\"0x01000001\",\"{encryption}\",\"0x{inKey}\",\"{integrity}\",\"{inMac}\"", lines[0]);
        Assert.StartsWith($"\"IPv4\",\"192.0.2.1\",\"192.0.2.2\",\"0x000000aa\",\"{encryption}\",\"0x{outKey}\",", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void What_Wireshark_cannot_read_is_left_out()
    {
        using ChildKeys keys = MakeKeys(EspCipher.ChaCha20Poly1305);
        Assert.Empty(EspKeyLogLine.Create(MakeChild(keys)));
    }

    // The environment belongs to the process, so all of it is one test.
    [Fact]
    [Trait("Process", "own")]
    public void Files_are_written_only_where_option_and_environment_both_say_so()
    {
        string directory = Directory.CreateTempSubdirectory("ikekeylog").FullName;
        try
        {
            Assert.Null(IkeKeyLogFiles.Open(enabled: true));
            Environment.SetEnvironmentVariable(IkeKeyLogFiles.DirectoryVariable, directory);
            Assert.Null(IkeKeyLogFiles.Open(enabled: false));
            Assert.Empty(Directory.GetFiles(directory));

            using ChildKeys keys = MakeKeys(EspCipher.Aes128Gcm16);
            for (int run = 0; run < 2; run++)
            {
                using IkeKeyLogFiles? files = IkeKeyLogFiles.Open(enabled: true);
                files!.WriteIke("a line");
                files.WriteEsp(MakeChild(keys));
            }
            string ike = Path.Combine(directory, "ikev2_decryption_table"), esp = Path.Combine(directory, "esp_sa");
            Assert.Equal(["a line", "a line"], File.ReadAllLines(ike));
            Assert.Equal(4, File.ReadAllLines(esp).Length);
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ike) | File.GetUnixFileMode(esp));
        }
        finally
        {
            Environment.SetEnvironmentVariable(IkeKeyLogFiles.DirectoryVariable, null);
            Directory.Delete(directory, recursive: true);
        }
    }

    private static ChildKeys MakeKeys(EspCipher cipher)
    {
        using IkeKeys keys = RecordedMessages.FirstKeys();
        return keys.DeriveChild(new EspSuite(cipher), null, [1], [2]);
    }

    private static ChildSaInstalled MakeChild(ChildKeys keys) => new()
    {
        Id = new ChildSaId(0x01000001),
        OutboundSpi = 0xAA,
        IkeSa = 1,
        Connection = "c",
        Child = "c",
        RemoteId = IkeIdentity.Fqdn("peer.example"),
        Keys = keys,
        IsInitiator = true,
        Mode = IkeChildMode.Tunnel,
        UdpEncapsulation = true,
        Local = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 4500),
        Remote = new IPEndPoint(IPAddress.Parse("192.0.2.2"), 4500),
        LocalSelectors = [TrafficSelector.AnyIPv4],
        RemoteSelectors = [TrafficSelector.AnyIPv4],
    };
}
