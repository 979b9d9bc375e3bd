using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using CryptoPlane.Flows;

namespace CryptoPlane.Tests.Flows;

public sealed class FlowHashTests
{
    /// <summary>With AES-NI, or without.</summary>
    public static TheoryData<bool> Ways => Aes.IsSupported ? [true, false] : [false];

    [Fact]
    public void A_hash_depends_on_nothing_but_key_and_seed()
    {
        FlowHashSeed seed = FlowHashSeed.Random(), other = FlowHashSeed.Random();
        Assert.Equal(FlowHash.Of(Key40.Of(1), in seed), FlowHash.Of(Key40.Of(1), in seed));
        Assert.NotEqual(FlowHash.Of(Key40.Of(1), in seed), FlowHash.Of(Key40.Of(1), in other));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Every_bit_of_a_key_of_any_size_changes_half_of_the_hash(bool aes)
    {
        EveryBit<byte>(aes);
        EveryBit<Bytes7>(aes);
        EveryBit<long>(aes);
        EveryBit<Bytes12>(aes);
        EveryBit<Key16>(aes);
        EveryBit<Bytes24>(aes);
        EveryBit<Key40>(aes);
        EveryBit<Bytes51>(aes);
        EveryBit<Bytes64>(aes);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Keys_that_count_up_spread_over_the_buckets_and_the_tags(bool aes)
    {
        const int keys = 1 << 16, buckets = 1 << 8;
        FlowHashSeed seed = FlowHashSeed.Random();
        int[] perBucket = new int[buckets], perTag = new int[buckets];
        for (int i = 0; i < keys; i++)
        {
            ulong hash = Hash(Key16.Of(i), in seed, aes);
            perBucket[FlowIndex.HomeOf(hash) & (buckets - 1)]++;
            perTag[(FlowBucket.TagOf(hash) >> 1) & (buckets - 1)]++;
        }
        // 256 of each are expected; ten standard deviations (of 16) away is one chance in 10^20.
        Assert.All(perBucket, count => Assert.InRange(count, 96, 416));
        Assert.All(perTag, count => Assert.InRange(count, 96, 416));
    }

    [Fact]
    public void Keys_are_the_same_only_if_all_bytes_are()
    {
        EveryByte<byte>();
        EveryByte<Bytes7>();
        EveryByte<long>();
        EveryByte<Bytes12>();
        EveryByte<Key16>();
        EveryByte<Bytes24>();
        EveryByte<Key40>();
        EveryByte<Bytes51>();
        EveryByte<Bytes64>();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Keys_that_are_too_long_are_refused(bool aes)
    {
        FlowHashSeed seed = FlowHashSeed.Random();
        var exception = Assert.Throws<NotSupportedException>(() => Hash(default(Bytes65), in seed, aes));
        Assert.Contains("65 bytes", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_tag_is_that_of_a_free_place()
    {
        for (ulong low = 0; low <= ushort.MaxValue; low++)
            Assert.NotEqual(0, FlowBucket.TagOf(low | 0xABCD0000));
    }

    private static ulong Hash<T>(in T key, in FlowHashSeed seed, bool aes)
        where T : unmanaged => aes ? FlowHash.ByAes(in key, in seed) : FlowHash.ByMultiplication(in key, in seed);

    private static void EveryBit<T>(bool aes)
        where T : unmanaged
    {
        FlowHashSeed seed = FlowHashSeed.Random();
        var random = new Random(Unsafe.SizeOf<T>());
        T key = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<T>(ref key));
        const int keys = 64;
        long flipped = 0;
        for (int round = 0; round < keys; round++)
        {
            random.NextBytes(bytes);
            ulong hash = Hash(in key, in seed, aes);
            for (int bit = 0; bit < bytes.Length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                ulong change = Hash(in key, in seed, aes) ^ hash;
                Assert.NotEqual(0u, change);
                flipped += long.PopCount((long)change);
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
        double mean = flipped / (double)(keys * bytes.Length * 8);
        Assert.InRange(mean, 30.5, 33.5);
    }

    private static void EveryByte<T>()
        where T : unmanaged
    {
        T a = default, b = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<T>(ref a));
        new Random(1).NextBytes(bytes);
        b = a;
        Assert.True(FlowHash.Same(in a, in b));
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 0x80;
            Assert.False(FlowHash.Same(in a, in b));
            bytes[i] ^= 0x80;
        }
    }

    [InlineArray(7)]
    private struct Bytes7
    {
        private byte _first;
    }

    [InlineArray(12)]
    private struct Bytes12
    {
        private byte _first;
    }

    [InlineArray(24)]
    private struct Bytes24
    {
        private byte _first;
    }

    [InlineArray(51)]
    private struct Bytes51
    {
        private byte _first;
    }

    [InlineArray(64)]
    private struct Bytes64
    {
        private byte _first;
    }

    [InlineArray(65)]
    private struct Bytes65
    {
        private byte _first;
    }
}
