using System.Security.Cryptography;
using CryptoPlane.PublicKey;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.PublicKey;

/// <summary>Hashes and HMACs against the framework's.</summary>
public sealed class Sha2Tests
{
    public static TheoryData<Sha2> Hashes => [Sha2.Sha256, Sha2.Sha384, Sha2.Sha512];

    [Theory]
    [MemberData(nameof(Hashes))]
    public void They_are_the_frameworks_for_every_length_of_key_and_data(Sha2 hash)
    {
        var random = new Random(7);
        byte[] key = new byte[300], data = new byte[300], mine = new byte[hash.Size()];
        for (int i = 0; i < 2_000; i++)
        {
            random.NextBytes(key);
            random.NextBytes(data);
            Span<byte> someKey = key.AsSpan(0, random.Next(key.Length)), someData = data.AsSpan(0, random.Next(data.Length));
            hash.Hash(someData, mine);
            Assert.Equal(Expected(hash, someData), mine);
            hash.Hmac(someKey, someData, mine);
            Assert.Equal(ExpectedMac(hash, someKey, someData), mine);
        }
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public void Results_may_overlap_what_they_are_of(Sha2 hash)
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(100), copy = [.. bytes];
        hash.Hmac(bytes.AsSpan(0, 50), bytes.AsSpan(20, 60), bytes.AsSpan(10));
        Assert.Equal(ExpectedMac(hash, copy.AsSpan(0, 50), copy.AsSpan(20, 60)), bytes.AsSpan(10, hash.Size()).ToArray());
        copy = [.. bytes];
        hash.Hash(bytes, bytes);
        Assert.Equal(Expected(hash, copy), bytes.AsSpan(0, hash.Size()).ToArray());
    }

    [Fact]
    public void Threads_do_not_meet()
    {
        byte[][] macs = new byte[8][];
        Thread[] threads = [.. Enumerable.Range(0, macs.Length).Select(number => new Thread(() =>
        {
            byte[] mac = new byte[32];
            for (int i = 0; i < 5_000; i++)
                Sha2.Sha256.Hmac([(byte)number], mac, mac);
            macs[number] = mac;
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        for (int number = 0; number < macs.Length; number++)
        {
            byte[] expected = new byte[32];
            for (int i = 0; i < 5_000; i++)
                HMACSHA256.HashData([(byte)number], expected, expected);
            Assert.Equal(expected, macs[number]);
        }
    }

    [Fact]
    public void Too_little_room_is_refused() => Assert.Throws<ArgumentException>(() => Sha2.Sha384.Hmac([1], [2], new byte[47]));

    [Fact]
    public void Nothing_is_allocated()
    {
        byte[] mac = new byte[32];
        Assert.Equal(0, AllocationMeter.MeasureUntilSteady(() => Sha2.Sha256.Hmac(mac, mac, mac)).AllocatedBytes);
    }

    private static byte[] Expected(Sha2 hash, ReadOnlySpan<byte> data) => hash switch
    {
        Sha2.Sha256 => SHA256.HashData(data),
        Sha2.Sha384 => SHA384.HashData(data),
        _ => SHA512.HashData(data),
    };

    private static byte[] ExpectedMac(Sha2 hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data) => hash switch
    {
        Sha2.Sha256 => HMACSHA256.HashData(key, data),
        Sha2.Sha384 => HMACSHA384.HashData(key, data),
        _ => HMACSHA512.HashData(key, data),
    };
}
