using System.Net;
using CryptoPlane.Ike;
using CryptoPlane.Ike.KeyLog;
using CryptoPlane.TestKit;
using VpnBroker.Tests.DataPlane.Children;

namespace VpnBroker.Tests.Ipsec;

/// <summary>Keys are written for Wireshark if both the configuration and the environment say so. No other test's configuration does.</summary>
public sealed class KeyLogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(IkeKeyLogFiles.DirectoryVariable, null);
        _directory.Dispose();
    }

    [Fact]
    public async Task Keys_are_written_where_two_say_so()
    {
        (IPAddress near, IPAddress far) = IpsecEnd.Addresses();
        Environment.SetEnvironmentVariable(IkeKeyLogFiles.DirectoryVariable, _directory.Path);
        await using (var quiet = new IpsecEnd(far, near, "10.9.0.0/16", "10.8.0.0/16"))
        {
            Assert.Empty(Directory.GetFiles(_directory.Path));
            await using var loud = new IpsecEnd(near, far, "10.8.0.0/16", "10.9.0.0/16", start: true, keyLog: true);
            await ChildBed.UntilAsync(async () => (await loud.ChildrenAsync()).Count == 1, "the tunnel");
            IkeSaReport sa = Assert.Single(await loud.SasAsync());
            uint inbound = Assert.Single(await loud.ChildrenAsync()).Id.InboundSpi;
            Assert.StartsWith($"{sa.IkeSa:x16},", Assert.Single(File.ReadAllLines(_directory.File("ikev2_decryption_table"))), StringComparison.Ordinal);
            string[] esp = File.ReadAllLines(_directory.File("esp_sa"));
            Assert.Equal(2, esp.Length);
            Assert.StartsWith($"\"IPv4\",\"{far}\",\"{near}\",\"0x{inbound:x8}\",\"AES-GCM", esp[0], StringComparison.Ordinal);
        }
        Assert.All(Directory.GetFiles(_directory.Path), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }
}
