using CryptoPlane.TestKit;

namespace CryptoPlane.Esp.Tests;

/// <summary>The ring of words against the plainest model: the set of everything received.</summary>
public sealed unsafe class AntiReplayWindowTests
{
    /// <summary>RFC 4303 §3.4.3 with a set, forgetting what has left the window.</summary>
    private sealed class Model(int size, ulong highest)
    {
        private readonly HashSet<ulong> _received = [];
        private readonly ulong _floor = highest;

        public ulong Highest { get; private set; } = highest;

        public EspDropReason Check(ulong sequence)
        {
            if (sequence == 0 || (sequence <= Highest && Highest - sequence >= (ulong)size))
                return EspDropReason.Late;
            return sequence <= _floor || _received.Contains(sequence) ? EspDropReason.Replayed : EspDropReason.None;
        }

        public void Set(ulong sequence)
        {
            Assert.True(_received.Add(sequence));
            Highest = Math.Max(Highest, sequence);
            if (_received.Count > 8 * size)
                _received.RemoveWhere(number => Highest - number >= (ulong)size);
        }
    }

    [Theory]
    [InlineData(64, 0ul)]
    [InlineData(65, 0ul)]
    [InlineData(100, 12345ul)]
    [InlineData(127, 63ul)]
    [InlineData(128, 64ul)]
    [InlineData(1000, 0xFFFF_FF00ul)]
    [InlineData(1024, 0ul)]
    [InlineData(4095, 0xFFFF_FFFF_FF00_0000ul)]
    [InlineData(4096, 0xFFFF_FFFFul)]
    public void A_million_random_steps_agree_with_a_set(int size, ulong start)
    {
        int words = AntiReplayWindow.RingWords(size);
        // Ends at a page that may not be touched: the ring has no word to spare.
        using var memory = new NativeBuffer(words * 8, GuardPage.Behind);
        AntiReplayWindow window = default;
        window.Initialize((ulong*)memory.Pointer, size, start);
        var model = new Model(size, start);
        var random = new Random(size);
        int accepted = 0;
        // A theory case runs its share of the million: nine cases, each of 120,000 steps.
        for (int i = 0; i < 120_000; i++)
        {
            ulong sequence = Pick(random, model.Highest, size);
            EspDropReason expected = model.Check(sequence);
            Assert.Equal(expected, window.Check(sequence));
            // A packet that is forged is checked, but never set.
            if (random.Next(8) == 0)
                continue;
            Assert.Equal(expected, window.CheckAndSet(sequence));
            if (expected != EspDropReason.None)
                continue;
            model.Set(sequence);
            accepted++;
            Assert.Equal(model.Highest, window.Highest);
            Assert.Equal(EspDropReason.Replayed, window.Check(sequence));
        }
        Assert.True(accepted > 20_000, $"only {accepted} were accepted: the test has lost its bite");
    }

    [Theory]
    [InlineData(64)]
    [InlineData(4096)]
    public void Every_jump_keeps_what_stays_in_the_window_and_forgets_the_rest(int size)
    {
        using var memory = new NativeBuffer(AntiReplayWindow.RingWords(size) * 8);
        for (int jump = 1; jump < 2 * size + 200; jump += size == 64 ? 1 : 37)
        {
            AntiReplayWindow window = default;
            window.Initialize((ulong*)memory.Pointer, size, 0);
            // Received: every odd number up to 4 * size + 1.
            ulong highest = (4 * (ulong)size) + 1;
            for (ulong sequence = 1; sequence <= highest; sequence += 2)
                Assert.Equal(EspDropReason.None, window.CheckAndSet(sequence));
            ulong next = highest + (ulong)jump;
            Assert.Equal(EspDropReason.None, window.CheckAndSet(next));
            for (ulong sequence = next - (ulong)size - 70; sequence < next; sequence++)
            {
                EspDropReason expected = next - sequence >= (ulong)size ? EspDropReason.Late
                    : sequence <= highest && sequence % 2 == 1 ? EspDropReason.Replayed
                    : EspDropReason.None;
                Assert.Equal(expected, window.Check(sequence));
            }
        }
    }

    [Theory]
    [InlineData(63)]
    [InlineData(4097)]
    [InlineData(0)]
    [InlineData(-1)]
    public void Sizes_beyond_the_bounds_are_refused(int size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => AntiReplayWindow.RingWords(size));

    [Fact]
    public void The_end_of_the_64_bit_space_is_reached_and_not_passed()
    {
        const int size = 64;
        using var memory = new NativeBuffer(AntiReplayWindow.RingWords(size) * 8);
        AntiReplayWindow window = default;
        window.Initialize((ulong*)memory.Pointer, size, ulong.MaxValue - 10);
        Assert.Equal(EspDropReason.None, window.CheckAndSet(ulong.MaxValue));
        Assert.Equal(EspDropReason.Replayed, window.CheckAndSet(ulong.MaxValue));
        Assert.Equal(EspDropReason.None, window.CheckAndSet(ulong.MaxValue - 1));
        // The number after the last one would be in a subspace that does not exist.
        Assert.False(window.TryExtend(0, out _));
        Assert.True(window.TryExtend(uint.MaxValue, out ulong last));
        Assert.Equal(ulong.MaxValue, last);
    }

    /// <summary>RFC 4303 Appendix A2.2 in words: of all numbers with that lower half, the one in [bottom of the window, bottom + 2^32).</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(1000)]
    [InlineData(4096)]
    public void The_upper_half_is_inferred_around_every_edge_of_the_subspaces(int size)
    {
        using var memory = new NativeBuffer(AntiReplayWindow.RingWords(size) * 8);
        AntiReplayWindow window = default;
        var random = new Random(size);
        for (int i = 0; i < 200_000; i++)
        {
            ulong highest = ((ulong)random.Next(0, 4) << 32) + (ulong)random.NextInt64(-2L * size, 2L * size);
            if (random.Next(4) == 0)
                highest = (ulong)random.NextInt64(0, 1L << 36);
            if ((long)highest < 0)
                highest = (ulong)random.Next(size);
            uint low = random.Next(3) switch
            {
                0 => (uint)random.NextInt64(1L << 32),
                1 => (uint)highest + (uint)random.Next(-3 * size, 3 * size),
                _ => (uint)random.Next(-size, size),
            };
            window.Initialize((ulong*)memory.Pointer, size, highest);
            Int128 bottom = (Int128)highest - size + 1;
            Int128 expected = bottom + (uint)(low - (uint)(ulong)(bottom & uint.MaxValue));
            bool possible = expected >= 0;
            Assert.Equal(possible, window.TryExtend(low, out ulong sequence));
            if (possible)
                Assert.Equal((ulong)expected, sequence);
        }
    }

    private static ulong Pick(Random random, ulong highest, int size)
    {
        ulong forward = random.Next(20) switch
        {
            0 => (ulong)random.Next(1, 4 * size),
            1 => (ulong)random.Next(1, 200),
            _ => 1,
        };
        if (random.Next(2) == 0)
            return highest > ulong.MaxValue - forward ? ulong.MaxValue : highest + forward;
        ulong back = (ulong)random.Next(random.Next(4) == 0 ? size + 300 : 80);
        return back > highest ? 0 : highest - back;
    }
}
