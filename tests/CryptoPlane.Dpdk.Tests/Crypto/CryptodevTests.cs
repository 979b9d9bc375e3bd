using CryptoPlane.Aead;

namespace CryptoPlane.Dpdk.Tests.Crypto;

[Collection(nameof(CryptodevGroup))]
public sealed unsafe class CryptodevTests
{
    [Fact]
    public void Devices_are_found_by_name_and_by_driver()
    {
        DpdkTestBed.Require();
        Assert.Equal(DpdkTestBed.OpenSsl, Cryptodev.Find("crypto_openssl0").Name);
        Assert.Equal("crypto_openssl", Cryptodev.Find("crypto_openssl").Driver);
        Assert.Contains(Cryptodev.List(), device => device.Name == DpdkTestBed.Null);
        CryptodevInfo gcm = Cryptodev.Find(DpdkTestBed.Gcm);
        Assert.True(gcm.SupportsAes128Gcm && gcm.SupportsAes256Gcm && !gcm.IsHardware && gcm.MaxQueuePairs > 0);
    }

    [Fact]
    public void A_device_that_is_not_there_is_an_error_that_lists_those_that_are()
    {
        DpdkTestBed.Require();
        var error = Assert.Throws<DpdkException>(() => Cryptodev.Find("crypto_qat"));
        Assert.Contains("crypto_qat", error.Message, StringComparison.Ordinal);
        Assert.Contains(DpdkTestBed.Gcm, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_refused_with_the_range()
    {
        DpdkTestBed.Require();
        CryptodevInfo info = Cryptodev.Find(DpdkTestBed.Gcm);
        Assert.Throws<ArgumentOutOfRangeException>(() => Cryptodev.Open(info, new CryptodevOptions { QueuePairs = info.MaxQueuePairs + 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cryptodev.Open(info, new CryptodevOptions { Depth = 1000 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cryptodev.Open(info, new CryptodevOptions { Sessions = 0 }));
    }

    [Fact]
    public void Every_lcore_gets_a_queue_pair_of_its_own_and_a_disposed_one_is_free_again()
    {
        using Cryptodev device = DpdkTestBed.Open(DpdkTestBed.Mb, new CryptodevOptions { QueuePairs = 2 });
        using CryptodevBackend first = device.CreateBackend();
        CryptodevBackend second = device.CreateBackend();
        var error = Assert.Throws<InvalidOperationException>(device.CreateBackend);
        Assert.Contains("QueuePairs", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(device.Dispose);
        second.Dispose();
        device.CreateBackend().Dispose();
    }

    [Fact]
    public void A_device_stays_open_while_keys_are_attached_to_it()
    {
        Cryptodev device = DpdkTestBed.Open(DpdkTestBed.Gcm);
        var engine = new AeadEngine(device.CreateBackend());
        using var batch = new PacketBatch(1, 64, AeadDirection.Seal);
        engine.Run(batch.Operations, 1);
        engine.Dispose();
        var error = Assert.Throws<InvalidOperationException>(device.Dispose);
        Assert.Contains("retire", error.Message, StringComparison.Ordinal);

        using (engine = new AeadEngine(device.CreateBackend()))
            batch.Retire(engine);
        device.Dispose();
    }

    [Fact]
    public void A_device_opens_again_with_other_options()
    {
        foreach (int queuePairs in new[] { 1, 4, 2 })
        {
            using Cryptodev device = DpdkTestBed.Open(DpdkTestBed.Gcm, new CryptodevOptions { QueuePairs = queuePairs });
            using var engine = new AeadEngine(device.CreateBackend());
            using var batch = new PacketBatch(3, 64, AeadDirection.Seal);
            engine.Run(batch.Operations, batch.Count);
            batch.AssertDone();
            batch.Retire(engine);
        }
    }
}
