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
            // 70,000 bytes take the block counter past 2^12 and through every value of its low byte.
            foreach ((int length, int aad) in new[] { (0, 65_535), (1, 65_520), (70_001, 17), (128, 128), (1_048_577, 255) })
            {
                TestMessage message = RandomMessage(random, algorithm, length, aad, FrameworkSeal);
                harness.Run(
                    new BurstItem(message, AeadDirection.Seal, InPlace: false, 5),
                    new BurstItem(message, AeadDirection.Open, InPlace: true, 9),
                    new BurstItem(Forge(random, message), AeadDirection.Open, InPlace: false, 3));
            }
        }
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
