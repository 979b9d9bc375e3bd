using System.Security.Cryptography;
using CryptoPlane.Aead;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Modes;
using Org.BouncyCastle.Crypto.Parameters;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>Every backend against the framework (OpenSSL) and BouncyCastle, over random sizes. The seed makes a failure repeatable.</summary>
public sealed class DifferentialTests
{
    private const int Seed = 20_260_101;

    /// <summary>Messages in CI, over all backends together, and how many go in a burst.</summary>
    private const int CasesInCI = 200_000, BurstLength = 32;

    /// <summary>Seconds for each backend instead, with a new seed: for a run as long as one likes.</summary>
    private const string SecondsVariable = "CRYPTOPLANE_DIFFERENTIAL_SECONDS";

    private static readonly AeadAlgorithm[] s_algorithms = [AeadAlgorithm.Aes128Gcm, AeadAlgorithm.Aes256Gcm, AeadAlgorithm.ChaCha20Poly1305];

    public static TheoryData<string> Backends => BackendCatalog.Names;

    [Theory]
    [MemberData(nameof(Backends))]
    public void Every_small_size_agrees_with_the_framework(string backend)
    {
        using AeadEngine engine = BackendCatalog.CreateEngine(backend);
        using var harness = new BurstHarness(engine);
        var random = new Random(Seed);
        foreach (AeadAlgorithm algorithm in s_algorithms)
        {
            for (int length = 0; length <= 400; length++)
            {
                TestMessage message = RandomMessage(random, algorithm, length, random.Next(0, 65), FrameworkSeal);
                TestMessage forged = Forge(random, message);
                int offset = random.Next(64);
                harness.Run(
                    new BurstItem(message, AeadDirection.Seal, InPlace: true, offset),
                    new BurstItem(message, AeadDirection.Open, InPlace: true, offset),
                    new BurstItem(forged, AeadDirection.Open, InPlace: true, offset),
                    new BurstItem(message, AeadDirection.Seal, InPlace: false, offset),
                    new BurstItem(message, AeadDirection.Open, InPlace: false, offset),
                    new BurstItem(forged, AeadDirection.Open, InPlace: false, offset));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Rows_of_messages_with_as_many_blocks_agree_with_the_framework(string backend)
    {
        using AeadEngine engine = BackendCatalog.CreateEngine(backend);
        using var harness = new BurstHarness(engine);
        var random = new Random(Seed);
        foreach (AeadAlgorithm algorithm in s_algorithms)
        {
            for (int blocks = 0; blocks <= 9; blocks++)
            {
                for (int row = 1; row <= 9; row++)
                {
                    var sealing = new BurstItem[row];
                    var opening = new BurstItem[row];
                    for (int i = 0; i < row; i++)
                    {
                        int length = blocks == 0 ? 0 : 16 * blocks - random.Next(16);
                        TestMessage message = RandomMessage(random, algorithm, length, random.Next(0, 17), FrameworkSeal);
                        bool inPlace = random.Next(2) == 0;
                        sealing[i] = new BurstItem(message, AeadDirection.Seal, inPlace, random.Next(64));
                        opening[i] = new BurstItem(random.Next(3) == 0 ? Forge(random, message) : message, AeadDirection.Open, inPlace, random.Next(64));
                    }
                    harness.Run(sealing);
                    harness.Run(opening);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Random_packets_agree_with_the_framework(string backend)
    {
        using AeadEngine engine = BackendCatalog.CreateEngine(backend);
        using var harness = new BurstHarness(engine);
        string? seconds = Environment.GetEnvironmentVariable(SecondsVariable);
        if (string.IsNullOrEmpty(seconds))
        {
            // Each backend sees the first of the messages; together they run at least as many as CI is to run.
            int share = (CasesInCI + Backends.Count - 1) / Backends.Count;
            for (int burst = 0; burst * BurstLength < share; burst++)
                harness.Run(PacketBurst(Seed + burst));
            return;
        }
        int seed = Random.Shared.Next();
        long cases = 0;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        try
        {
            for (; clock.Elapsed.TotalSeconds < double.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture); cases += BurstLength)
                harness.Run(PacketBurst(seed++));
        }
        finally
        {
            Console.WriteLine($"{backend}: {cases} messages in {clock.Elapsed.TotalSeconds:F0} s, last seed {seed - 1}");
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Aad_of_0_to_1024_bytes_agrees_with_the_framework(string backend)
    {
        using AeadEngine engine = BackendCatalog.CreateEngine(backend);
        using var harness = new BurstHarness(engine);
        var random = new Random(Seed);
        for (int aad = 0; aad <= 1024; aad++)
        {
            TestMessage message = RandomMessage(random, s_algorithms[aad % 3], aad % 2 == 0 ? 0 : random.Next(200), aad, FrameworkSeal);
            harness.Run(
                new BurstItem(message, AeadDirection.Seal, InPlace: false, aad % 64),
                new BurstItem(message, AeadDirection.Open, InPlace: true, aad % 64),
                new BurstItem(Forge(random, message), AeadDirection.Open, InPlace: false, aad % 64));
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Random_bursts_agree_with_the_framework(string backend) => RunRandomBursts(backend, bursts: 60, FrameworkSeal);

    [Theory]
    [MemberData(nameof(Backends))]
    public void Random_bursts_agree_with_BouncyCastle(string backend) => RunRandomBursts(backend, bursts: 12, BouncyCastleSeal);

    [Theory]
    [MemberData(nameof(Backends))]
    public void Long_aad_and_long_data_agree_with_the_framework(string backend)
    {
        using AeadEngine engine = BackendCatalog.CreateEngine(backend);
        using var harness = new BurstHarness(engine);
        var random = new Random(Seed);
        foreach (AeadAlgorithm algorithm in s_algorithms)
        {
            // 254 blocks of data bring AES-GCM's counter to 2^8, 65,534 of them to 2^16: where its bytes carry.
            foreach ((int length, int aad) in new[]
            {
                (0, 65_535), (1, 65_520), (128, 128), (16 * 254, 13), (16 * 254 + 1, 13), (16 * 255, 13), (65_535, 8), (65_536, 8), (65_537, 8),
                (70_001, 17), (16 * 65_533 + 7, 0), (16 * 65_534 + 9, 0), (1_048_577, 255),
            })
            {
                TestMessage message = RandomMessage(random, algorithm, length, aad, FrameworkSeal);
                harness.Run(
                    new BurstItem(message, AeadDirection.Seal, InPlace: false, 5),
                    new BurstItem(message, AeadDirection.Open, InPlace: true, 9),
                    new BurstItem(Forge(random, message), AeadDirection.Open, InPlace: false, 3));
            }
        }
    }

    /// <summary>A burst of packets: half of them up to 128 bytes, few above an Ethernet frame's size, and one in four of the opened ones forged.</summary>
    private static BurstItem[] PacketBurst(int seed)
    {
        var random = new Random(seed);
        var items = new BurstItem[BurstLength];
        for (int i = 0; i < items.Length; i++)
        {
            int length = random.Next(2) == 0 ? random.Next(129) : random.Next(random.Next(16) == 0 ? 9001 : 1501);
            TestMessage message = RandomMessage(random, s_algorithms[random.Next(3)], length, random.Next(random.Next(4) == 0 ? 65 : 17), FrameworkSeal);
            AeadDirection direction = random.Next(2) == 0 ? AeadDirection.Seal : AeadDirection.Open;
            if (direction == AeadDirection.Open && random.Next(4) == 0)
                message = Forge(random, message);
            items[i] = new BurstItem(message with { Name = $"{message.Name}, burst {seed}" }, direction, random.Next(2) == 0, random.Next(64));
        }
        return items;
    }

    private static void RunRandomBursts(string backend, int bursts, Action<TestMessage> seal)
    {
        using AeadEngine engine = BackendCatalog.CreateEngine(backend);
        using var harness = new BurstHarness(engine);
        var random = new Random(Seed);
        var items = new BurstItem[32];
        for (int burst = 0; burst < bursts; burst++)
        {
            for (int i = 0; i < items.Length; i++)
            {
                // Half of the messages are packets, half are anything up to 20,000 bytes.
                int length = random.Next(2) == 0 ? random.Next(0, 1500) : random.Next(0, 20_001);
                TestMessage message = RandomMessage(random, s_algorithms[random.Next(3)], length, random.Next(0, 65), seal);
                AeadDirection direction = random.Next(2) == 0 ? AeadDirection.Seal : AeadDirection.Open;
                if (direction == AeadDirection.Open && random.Next(4) == 0)
                    message = Forge(random, message);
                items[i] = new BurstItem(message, direction, random.Next(2) == 0, random.Next(64));
            }
            harness.Run(items);
        }
    }

    private static TestMessage RandomMessage(Random random, AeadAlgorithm algorithm, int length, int aadLength, Action<TestMessage> seal)
    {
        byte[] Bytes(int count)
        {
            byte[] bytes = new byte[count];
            random.NextBytes(bytes);
            return bytes;
        }

        var message = new TestMessage(
            $"{algorithm}, seed {Seed}", algorithm, Bytes(AeadSizes.Key(algorithm)), Bytes(12), Bytes(aadLength), Bytes(length), new byte[length], new byte[16]);
        seal(message);
        return message;
    }

    /// <summary>Flips one bit, anywhere in ciphertext, tag, AAD or nonce.</summary>
    private static TestMessage Forge(Random random, TestMessage message)
    {
        var forged = message with
        {
            Name = message.Name + ", forged",
            Valid = false,
            Nonce = [.. message.Nonce],
            Aad = [.. message.Aad],
            Ciphertext = [.. message.Ciphertext],
            Tag = [.. message.Tag],
        };
        byte[][] parts = [forged.Ciphertext, forged.Tag, forged.Aad, forged.Nonce];
        byte[] part = parts[random.Next(4)];
        if (part.Length == 0)
            part = forged.Tag;
        part[random.Next(part.Length)] ^= (byte)(1 << random.Next(8));
        return forged;
    }

    private static void FrameworkSeal(TestMessage message)
    {
        if (message.Algorithm == AeadAlgorithm.ChaCha20Poly1305)
        {
            using var chacha = new System.Security.Cryptography.ChaCha20Poly1305(message.Key);
            chacha.Encrypt(message.Nonce, message.Plaintext, message.Ciphertext, message.Tag, message.Aad);
        }
        else
        {
            using var aes = new AesGcm(message.Key, AeadSizes.Tag);
            aes.Encrypt(message.Nonce, message.Plaintext, message.Ciphertext, message.Tag, message.Aad);
        }
    }

    private static void BouncyCastleSeal(TestMessage message)
    {
        IAeadCipher cipher = message.Algorithm == AeadAlgorithm.ChaCha20Poly1305
            ? new Org.BouncyCastle.Crypto.Modes.ChaCha20Poly1305()
            : new GcmBlockCipher(new AesEngine());
        cipher.Init(true, new AeadParameters(new KeyParameter(message.Key), 128, message.Nonce, message.Aad));
        byte[] output = new byte[cipher.GetOutputSize(message.Plaintext.Length)];
        int written = cipher.ProcessBytes(message.Plaintext, 0, message.Plaintext.Length, output, 0);
        written += cipher.DoFinal(output, written);
        Assert.Equal(message.Plaintext.Length + AeadSizes.Tag, written);
        output.AsSpan(0, message.Plaintext.Length).CopyTo(message.Ciphertext);
        output.AsSpan(message.Plaintext.Length).CopyTo(message.Tag);
    }
}
