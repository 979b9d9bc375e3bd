using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Esp;
using VpnBroker.Tests.Configuration;

namespace VpnBroker.Tests.Esp;

public sealed class SequenceStateFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly EspConfig _config;
    private readonly EspKey _key;

    public SequenceStateFileTests()
    {
        _config = ConfigText.Parse(ConfigText.Valid).Esp! with { StateFile = _directory.File("esp-state") };
        _key = _config.Tunnels[0].Pairs[0].Outbound.Key;
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_missing_file_is_refused_and_init_makes_it()
    {
        Assert.Contains("broker esp init-state", Assert.Throws<SequenceStateException>(() => SequenceStateFile.Open(_config)).Message, StringComparison.Ordinal);
        Assert.Equal(2, SequenceStateFile.Initialize(_config).Count);
        Assert.Empty(SequenceStateFile.Initialize(_config));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_config.StateFile));
        using SequenceStateFile file = SequenceStateFile.Open(_config);
        Assert.Equal(new SequenceRange(1, 1001), file.Reserve(_key, 1000, ulong.MaxValue));
    }

    [Fact]
    public void What_was_reserved_is_never_given_again_also_after_a_crash()
    {
        SequenceStateFile.Initialize(_config);
        ulong next = 1;
        for (int run = 0; run < 20; run++)
        {
            // Nothing is written at the end of a run: disposing lets the lock go, as the kernel does for a killed process.
            using SequenceStateFile file = SequenceStateFile.Open(_config);
            for (int block = 0; block < 3; block++)
            {
                SequenceRange range = file.Reserve(_key, 100, ulong.MaxValue);
                Assert.Equal(new SequenceRange(next, next + 100), range);
                next = range.Limit;
            }
        }
    }

    [Fact]
    public void A_key_is_used_up_at_its_end()
    {
        SequenceStateFile.Initialize(_config);
        using SequenceStateFile file = SequenceStateFile.Open(_config);
        Assert.Equal(new SequenceRange(1, 50), file.Reserve(_key, 100, end: 50));
        Assert.Equal(new SequenceRange(50, 50), file.Reserve(_key, 100, end: 50));
    }

    [Fact]
    public void A_key_that_the_file_does_not_know_is_refused()
    {
        EspTunnelConfig tunnel = _config.Tunnels[0];
        SequenceStateFile.Initialize(_config with { Tunnels = [tunnel with { Pairs = [tunnel.Pairs[0]] }] });
        Assert.Contains("does not know the key of tunnel \"dc1\", lcore 1",
            Assert.Throws<SequenceStateException>(() => SequenceStateFile.Open(_config)).Message, StringComparison.Ordinal);
        Assert.Equal(["tunnel \"dc1\", lcore 1"], SequenceStateFile.Initialize(_config));
    }

    [Fact]
    public void A_file_that_another_process_holds_is_refused()
    {
        SequenceStateFile.Initialize(_config);
        using SequenceStateFile file = SequenceStateFile.Open(_config);
        Assert.Contains("another broker", Assert.Throws<SequenceStateException>(() => SequenceStateFile.Open(_config)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_refused_whatever_is_missing_or_changed()
    {
        SequenceStateFile.Initialize(_config);
        string text = File.ReadAllText(_config.StateFile);
        for (int length = 0; length < text.Length; length++)
            Refused(text[..length]);
        var random = new Random(9);
        for (int i = 0; i < 2000; i++)
        {
            char[] changed = text.ToCharArray();
            int position = random.Next(text.Length);
            changed[position] = (char)random.Next(32, 127);
            // A digit changed into another one is another number, or another key: no format can tell.
            if (char.IsAsciiHexDigitLower(text[position]) && char.IsAsciiHexDigitLower(changed[position]))
                continue;
            if (changed[position] != text[position])
                Refused(new string(changed));
        }

        void Refused(string content)
        {
            File.WriteAllText(_config.StateFile, content);
            Assert.Throws<SequenceStateException>(() => SequenceStateFile.Open(_config).Dispose());
        }
    }
}
