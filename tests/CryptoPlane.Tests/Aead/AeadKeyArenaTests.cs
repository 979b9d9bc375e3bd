using CryptoPlane.Aead;

namespace CryptoPlane.Tests.Aead;

/// <summary>Keys in an arena: usable as others are, given back zeroed, and not before a device has done with them.</summary>
public sealed unsafe class AeadKeyArenaTests
{
    [Theory]
    [InlineData(AeadAlgorithm.Aes128Gcm)]
    [InlineData(AeadAlgorithm.Aes256Gcm)]
    [InlineData(AeadAlgorithm.ChaCha20Poly1305)]
    public void Keys_of_an_arena_seal_as_others_do(AeadAlgorithm algorithm)
    {
        using var engine = AeadEngine.CreateDefault();
        using var arena = new AeadKeyArena(50);
        using (var burst = new TestBurst(50, algorithm, arena))
        {
            engine.Run(burst.Operations, burst.Count);
            burst.AssertSealed();
            Assert.Equal(50, arena.InUse);
            burst.Retire(engine);
        }
        Assert.Equal(0, arena.InUse);
    }

    [Fact]
    public void A_retired_key_leaves_nothing_behind()
    {
        using var engine = AeadEngine.CreateDefault();
        using var arena = new AeadKeyArena(1);
        AeadKeyHandle key = AeadKey.CreateDetached(AeadAlgorithm.Aes256Gcm, new byte[32], arena);
        var block = new ReadOnlySpan<byte>(key.Block, AeadKeyBlock.SizeInBytes);
        Assert.True(block.IndexOfAnyExcept((byte)0) >= 0);
        engine.Retire(key);
        // Sound: the arena still has the memory.
        Assert.True(block.IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(0, arena.InUse);
    }

    [Fact]
    public void A_key_in_flight_on_a_device_keeps_its_place_until_its_operations_have_come_back()
    {
        var device = new SimulatedDevice(8, seed: 4) { Stalled = true };
        using var engine = new AeadEngine(device);
        using var arena = new AeadKeyArena(8);
        using var burst = new TestBurst(8, AeadAlgorithm.Aes128Gcm, arena);
        Assert.Equal(8, engine.Submit(burst.Operations, 8));
        AeadKeyBlock* first = burst[0]->Key.Block;
        byte[] expanded = new ReadOnlySpan<byte>(first->HashPowers, 16 * AeadKeyBlock.Powers).ToArray();
        burst.Retire(engine);
        AeadOperation** completed = stackalloc AeadOperation*[8];
        Assert.Equal(0, engine.Poll(completed, 8));

        Assert.Equal(8, arena.InUse);
        Assert.Equal(expanded, new ReadOnlySpan<byte>(first->HashPowers, expanded.Length).ToArray());
        Assert.Throws<InvalidOperationException>(() => AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, new byte[16], arena));
        Assert.Throws<InvalidOperationException>(arena.Dispose);

        device.Stalled = false;
        for (int polled = 0; polled < 8;)
            polled += engine.Poll(completed, 8);
        burst.AssertSealed();
        Assert.Equal(0, arena.InUse);
        Assert.Equal(0, device.Sessions);
    }

    [Fact]
    public void A_full_arena_says_how_large_it_is()
    {
        using var engine = AeadEngine.CreateDefault();
        using var arena = new AeadKeyArena(2);
        AeadKeyHandle one = AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, new byte[16], arena);
        AeadKeyHandle two = AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, new byte[16], arena);
        var error = Assert.Throws<InvalidOperationException>(() => AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, new byte[16], arena));
        Assert.Contains("room for 2 keys", error.Message, StringComparison.Ordinal);
        engine.Retire(one);
        AeadKeyHandle three = AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, new byte[16], arena);
        Assert.Throws<ArgumentException>(() => AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, new byte[15], arena));
        Assert.Equal(2, arena.InUse);
        engine.Retire(two);
        engine.Retire(three);
    }
}
