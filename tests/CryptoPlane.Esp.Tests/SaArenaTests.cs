using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp.Tests;

/// <summary>SAs side by side in an arena: as good as others, a clear word when it is full, nothing left of those that were freed.</summary>
public sealed unsafe class SaArenaTests
{
    private static readonly byte[] s_material = EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm);

    private static InboundSa* Inbound(uint spi, SaArena arena, int window = 1024) => InboundSa.Create(
        new InboundSaParameters { Spi = spi, Algorithm = AeadAlgorithm.Aes128Gcm, ReplayWindow = window }, s_material, arena);

    private static OutboundSa* Outbound(uint spi, SaArena arena) =>
        OutboundSa.Create(new OutboundSaParameters { Spi = spi, Algorithm = AeadAlgorithm.Aes128Gcm }, s_material, arena);

    [Fact]
    public void Packets_go_through_SAs_of_an_arena()
    {
        using var arena = new SaArena(20, 20);
        using (var bed = new EspTestBed())
        {
            byte[] inner = InnerPackets.IPv4(64);
            var outbound = new nint[20];
            for (uint i = 0; i < 20; i++)
            {
                Assert.Equal(SadStatus.Added, bed.Sad.Add(Inbound(300 + i, arena, window: 64 + (int)i)));
                outbound[i] = (nint)Outbound(300 + i, arena);
                bed.Sad.Add((OutboundSa*)outbound[i]);
            }
            for (int round = 0; round < 5; round++)
            {
                foreach (nint sa in outbound)
                {
                    byte[] wire = bed.Seal((OutboundSa*)sa, inner);
                    Assert.Equal(inner, bed.Open(wire).Inner);
                    Assert.Equal(EspDropReason.Replayed, bed.Open(wire).Reason);
                }
            }
            Assert.Equal((20, 20), (arena.InboundInUse, arena.OutboundInUse));
        }
        Assert.Equal((0, 0), (arena.InboundInUse, arena.OutboundInUse));
    }

    [Fact]
    public void A_full_arena_says_so_and_takes_more_once_an_SA_was_freed()
    {
        using var engine = AeadEngine.CreateDefault();
        using var arena = new SaArena(2, 1, maxReplayWindow: 128);
        InboundSa* one = Inbound(300, arena, 128), two = Inbound(301, arena, 64);
        OutboundSa* three = Outbound(302, arena);
        Assert.Contains("room for 2 inbound SAs", Assert.Throws<InvalidOperationException>(() => { Inbound(303, arena, 64); }).Message, StringComparison.Ordinal);
        Assert.Contains("room for 1 outbound SAs", Assert.Throws<InvalidOperationException>(() => { Outbound(303, arena); }).Message, StringComparison.Ordinal);
        Assert.Contains("up to 128 packets", Assert.Throws<ArgumentException>(() => { Inbound(303, arena, 129); }).Message, StringComparison.Ordinal);
        Assert.Contains("are in use", Assert.Throws<InvalidOperationException>(arena.Dispose).Message, StringComparison.Ordinal);

        InboundSa.Free(one, engine);
        one = Inbound(304, arena, 100);
        Assert.Equal((2, 1), (arena.InboundInUse, arena.OutboundInUse));
        InboundSa.Free(one, engine);
        InboundSa.Free(two, engine);
        OutboundSa.Free(three, engine);
    }

    [Fact]
    public void A_key_that_finds_no_room_leaves_no_SA_behind()
    {
        using var engine = AeadEngine.CreateDefault();
        using var arena = new SaArena(1, 1);
        // One key of its own, so that the second of the arena's SAs finds none.
        AeadKeyHandle foreign = AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, s_material.AsSpan(..16), arena.Keys);
        InboundSa* sa = Inbound(300, arena);
        Assert.Throws<InvalidOperationException>(() => { Outbound(300, arena); });
        Assert.Equal((1, 0), (arena.InboundInUse, arena.OutboundInUse));
        engine.Retire(foreign);
        InboundSa.Free(sa, engine);
    }

    [Fact]
    public void Nothing_is_left_of_a_freed_SA_and_its_key()
    {
        using var engine = AeadEngine.CreateDefault();
        using var memory = new WatchedMemory();
        using (var arena = new SaArena(3, 3, memory: memory))
        {
            using var sad = new Sad(3, engine);
            for (uint spi = 300; spi < 303; spi++)
            {
                Assert.Equal(SadStatus.Added, sad.Add(Inbound(spi, arena)));
                sad.Add(Outbound(spi, arena));
            }
            Assert.True(memory.Contains(s_material.AsSpan(..16)));
            Assert.True(memory.Contains(s_material.AsSpan(16)));
            sad.Dispose();
            Assert.True(memory.IsZero);
        }
        Assert.Equal(0, memory.Blocks);
    }

    [Fact]
    public void Memory_that_ends_in_the_middle_is_given_back()
    {
        for (int blocks = 0; blocks < 3; blocks++)
        {
            using var memory = new WatchedMemory { Limit = blocks };
            Assert.Throws<OutOfMemoryException>(() => new SaArena(4, 4, memory: memory));
            Assert.Equal(0, memory.Blocks);
        }
    }

    [Theory]
    [InlineData(0, 1, 64)]
    [InlineData(1, 0, 64)]
    [InlineData(1, 1, 63)]
    [InlineData(1, 1, 4097)]
    public void An_arena_that_makes_no_sense_is_refused(int inbound, int outbound, int window) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SaArena(inbound, outbound, window));

    [Fact]
    public void A_hundred_thousand_SAs_come_are_found_in_bursts_and_go()
    {
        const int count = 100_000, burst = 256;
        using var engine = AeadEngine.CreateDefault();
        using var arena = new SaArena(count, 1, maxReplayWindow: 64);
        using (var sad = new Sad(count, engine))
        {
            var sas = new nint[count];
            for (int i = 0; i < count; i++)
            {
                sas[i] = (nint)Inbound(Spi.Create(0, (uint)i * 7), arena, 64);
                Assert.Equal(SadStatus.Added, sad.Add((InboundSa*)sas[i]));
            }
            uint* spis = stackalloc uint[burst];
            InboundSa** found = stackalloc InboundSa*[burst];
            var random = new Random(9);
            for (int round = 0; round < 200; round++)
            {
                for (int i = 0; i < burst; i++)
                    spis[i] = Spi.Create(0, (uint)random.Next(8 * count));
                sad.FindBurst(spis, found, burst);
                for (int i = 0; i < burst; i++)
                {
                    uint low = spis[i] & 0xFF_FFFF;
                    Assert.Equal(low % 7 == 0 && low < 7 * count ? sas[low / 7] : 0, (nint)found[i]);
                }
            }
            for (int i = 0; i < count; i += 2)
                Assert.True(sad.Remove((InboundSa*)sas[i]));
            Assert.Equal(count / 2, arena.InboundInUse);
            for (int i = 0; i < count; i++)
                Assert.Equal(i % 2 == 1, sad.TryFind(Spi.Create(0, (uint)i * 7), out _));
            for (int i = 0; i < count; i += 2)
                Assert.Equal(SadStatus.Added, sad.Add(Inbound(Spi.Create(1, (uint)i), arena, 64)));
            Assert.Equal(SadStatus.Full, sad.Add((InboundSa*)sas[1]));
        }
        Assert.Equal(0, arena.InboundInUse);
    }

    /// <summary>Memory whose every byte a test can look at while it is reserved.</summary>
    private sealed class WatchedMemory : IPacketMemory, IDisposable
    {
        private readonly Dictionary<nint, nuint> _blocks = [];

        /// <summary>Blocks that can be had at once.</summary>
        public int Limit { get; init; } = int.MaxValue;

        public int Blocks => _blocks.Count;

        public bool IsZero => _blocks.All(block => Span(block).IndexOfAnyExcept((byte)0) < 0);

        public bool Contains(ReadOnlySpan<byte> what)
        {
            foreach (KeyValuePair<nint, nuint> block in _blocks)
            {
                if (Span(block).IndexOf(what) >= 0)
                    return true;
            }
            return false;
        }

        public byte* Allocate(nuint bytes, nuint alignment)
        {
            if (_blocks.Count == Limit)
                throw new OutOfMemoryException("There is no more, as the test asked for.");
            byte* block = KernelPacketMemory.Instance.Allocate(bytes, alignment);
            _blocks.Add((nint)block, bytes);
            return block;
        }

        public void Free(byte* memory, nuint bytes)
        {
            Assert.True(_blocks.Remove((nint)memory, out nuint length));
            Assert.Equal(length, bytes);
            KernelPacketMemory.Instance.Free(memory, bytes);
        }

        public void Dispose() => Assert.Empty(_blocks);

        private static ReadOnlySpan<byte> Span(KeyValuePair<nint, nuint> block) => new((void*)block.Key, (int)block.Value);
    }
}
