using CryptoPlane.Flows;

namespace CryptoPlane.Tests.Flows;

/// <summary>A key that is made from a number: what the tests are written for.</summary>
internal interface ITestKey<TSelf> : IFlowKey<TSelf>
    where TSelf : unmanaged, ITestKey<TSelf>
{
    static abstract TSelf Of(int number);
}

/// <summary>16 bytes, hashed as applications do.</summary>
internal readonly record struct Key16(int Number, int A, long B) : ITestKey<Key16>
{
    public static Key16 Of(int number) => new(number, 6, -1);

    public static ulong Hash(in Key16 key, in FlowHashSeed seed) => FlowHash.Of(in key, in seed);

    public static bool Equals(in Key16 a, in Key16 b) => FlowHash.Same(in a, in b);
}

/// <summary>40 bytes, of which the last ones differ.</summary>
internal readonly record struct Key40(long A, long B, long C, long D, int E, int Number) : ITestKey<Key40>
{
    public static Key40 Of(int number) => new(1, 2, 3, 4, 5, number);

    public static ulong Hash(in Key40 key, in FlowHashSeed seed) => FlowHash.Of(in key, in seed);

    public static bool Equals(in Key40 a, in Key40 b) => FlowHash.Same(in a, in b);
}

/// <summary>All have one tag: only comparisons of keys tell them apart.</summary>
internal readonly record struct SameTagKey(long Number) : ITestKey<SameTagKey>
{
    public static SameTagKey Of(int number) => new(number);

    public static ulong Hash(in SameTagKey key, in FlowHashSeed seed) => FlowHash.Of(in key, in seed) & ~0xFFFFUL;

    public static bool Equals(in SameTagKey a, in SameTagKey b) => a.Number == b.Number;
}

/// <summary>There are 16 buckets' worth of hashes, however many buckets there are: long chains.</summary>
internal readonly record struct SameBucketKey(long Number) : ITestKey<SameBucketKey>
{
    public static SameBucketKey Of(int number) => new(number);

    public static ulong Hash(in SameBucketKey key, in FlowHashSeed seed) => FlowHash.Of(in key, in seed) & 0x0F0000000000FFFF;

    public static bool Equals(in SameBucketKey a, in SameBucketKey b) => a.Number == b.Number;
}

/// <summary>A hash that a stranger has broken: all keys have the same.</summary>
internal readonly record struct SameHashKey(long Number) : ITestKey<SameHashKey>
{
    public static SameHashKey Of(int number) => new(number);

    public static ulong Hash(in SameHashKey key, in FlowHashSeed seed) => 0x123456789ABCDEF0;

    public static bool Equals(in SameHashKey a, in SameHashKey b) => a.Number == b.Number;
}
