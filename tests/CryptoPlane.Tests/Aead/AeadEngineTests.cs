using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead;

public sealed unsafe class AeadEngineTests
{
    private static readonly byte[] s_key = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    [Fact]
    public void Two_backends_of_one_kind_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new AeadEngine());
        Assert.Throws<ArgumentException>(() => new AeadEngine(AeadBackends.CreatePortable(), AeadBackends.CreatePortable()));
    }

    [Theory]
    [InlineData(AeadBackendChoice.Auto)]
    [InlineData(AeadBackendChoice.Portable)]
    public void The_description_says_which_backends_and_why(AeadBackendChoice choice)
    {
        Requirement.That(Environment.GetEnvironmentVariable(AeadEngineOptions.EnvironmentVariable) is null, $"unset {AeadEngineOptions.EnvironmentVariable}");
        using var engine = AeadEngine.CreateDefault(new AeadEngineOptions { Backend = choice });
        string best = choice == AeadBackendChoice.Portable ? "portable: "
            : AeadBackends.IsNativeSupported ? "native: "
            : AeadBackends.IsManagedSupported ? "managed: "
            : "portable: ";
        Assert.StartsWith(best, engine.Description);
        Assert.EndsWith(choice == AeadBackendChoice.Auto ? "(chosen by CPU)" : "(chosen by option)", engine.Description);
    }

    [Fact]
    public void Single_shots_agree_with_the_framework_and_a_wrong_tag_leaves_zeros()
    {
        using var engine = AeadEngine.CreateDefault();
        using AeadKey key = AeadKey.Create(AeadAlgorithm.Aes128Gcm, s_key);
        using var framework = new AesGcm(s_key, 16);
        byte[] nonce = new byte[12];
        foreach (int aadLength in new[] { 0, 5, 16, 17, 300 })
        {
            byte[] plaintext = RandomNumberGenerator.GetBytes(100), aad = RandomNumberGenerator.GetBytes(aadLength);
            byte[] expected = new byte[100], expectedTag = new byte[16], ciphertext = new byte[100], tag = new byte[16], opened = new byte[100];
            framework.Encrypt(nonce, plaintext, expected, expectedTag, aad);

            Assert.Equal(AeadStatus.Success, engine.Seal(key.Handle, nonce, plaintext, ciphertext, tag, aad));
            Assert.Equal(expected, ciphertext);
            Assert.Equal(expectedTag, tag);
            Assert.Equal(AeadStatus.Success, engine.Open(key.Handle, nonce, ciphertext, tag, opened, aad));
            Assert.Equal(plaintext, opened);

            tag[15] ^= 1;
            Assert.Equal(AeadStatus.AuthenticationFailed, engine.Open(key.Handle, nonce, ciphertext, tag, opened, aad));
            Assert.Equal(new byte[100], opened);
        }
    }

    [Fact]
    public void Spans_of_the_wrong_size_are_refused()
    {
        using var engine = AeadEngine.CreateDefault();
        using AeadKey key = AeadKey.Create(AeadAlgorithm.Aes128Gcm, s_key);
        Assert.Throws<ArgumentException>(() => engine.Seal(key.Handle, new byte[11], new byte[4], new byte[4], new byte[16]));
        Assert.Throws<ArgumentException>(() => engine.Seal(key.Handle, new byte[12], new byte[4], new byte[5], new byte[16]));
        Assert.Throws<ArgumentException>(() => engine.Seal(key.Handle, new byte[12], new byte[4], new byte[4], new byte[15]));
        Assert.Throws<ArgumentException>(() => engine.Open(key.Handle, new byte[12], new byte[4], new byte[16], new byte[4], new byte[65_536]));
        Assert.Throws<ArgumentException>(() => AeadKey.Create(AeadAlgorithm.Aes128Gcm, new byte[32]));
    }

    [Fact]
    public void An_operation_without_a_key_or_with_an_impossible_length_does_not_hold_up_its_burst()
    {
        using var engine = AeadEngine.CreateDefault();
        using var burst = new TestBurst(5, AeadAlgorithm.Aes128Gcm);
        burst[1]->Key = default;
        burst[3]->Length = 0x8000_0000;
        engine.Run(burst.Operations, 5);
        Assert.Equal(
            [AeadStatus.Success, AeadStatus.InvalidOperation, AeadStatus.Success, AeadStatus.InvalidOperation, AeadStatus.Success],
            burst.Statuses);
        burst.Retire(engine);
    }

    [Fact]
    public void A_key_used_on_one_engine_works_on_an_engine_with_other_backends()
    {
        using var control = new AeadEngine(AeadBackends.CreatePortable());
        using var lcore = AeadEngine.CreateDefault();
        using var device = new AeadEngine(new SimulatedDevice(8, seed: 1), AeadBackends.CreatePortable());
        using AeadKey key = AeadKey.Create(AeadAlgorithm.Aes128Gcm, s_key);
        byte[] expected = Seal(control, key);
        Assert.Equal(expected, Seal(lcore, key));
        Assert.Equal(expected, Seal(device, key));
        Assert.Equal(expected, Seal(control, key));
    }

    [Fact]
    public void A_key_with_a_device_session_is_freed_only_by_that_device()
    {
        var device = new SimulatedDevice(8, seed: 1);
        using var engine = new AeadEngine(device);
        using var other = AeadEngine.CreateDefault();
        AeadKey key = AeadKey.Create(AeadAlgorithm.Aes128Gcm, s_key);
        _ = Seal(engine, key);
        Assert.Equal(1, device.Sessions);
        Assert.Throws<InvalidOperationException>(key.Dispose);
        AeadKeyHandle handle = key.Detach();
        Assert.Throws<InvalidOperationException>(() => other.Retire(handle));
        engine.Retire(handle);
        Assert.Equal(0, device.Sessions);
        Assert.Throws<ObjectDisposedException>(() => key.Handle);
    }

    [Fact]
    public void Keys_that_a_device_has_no_session_for_go_to_the_next_backend()
    {
        var device = new SimulatedDevice(8, seed: 1) { MaxSessions = 1 };
        using var engine = new AeadEngine(device, AeadBackends.CreatePortable());
        using var burst = new TestBurst(6, AeadAlgorithm.Aes256Gcm);
        engine.Run(burst.Operations, 6);
        Assert.All(burst.Statuses, status => Assert.Equal(AeadStatus.Success, status));
        Assert.Equal(1, device.Sessions);
        burst.Retire(engine);
        Assert.Equal(0, device.Sessions);
    }

    [Fact]
    public void The_zero_handle_is_no_key()
    {
        using var engine = AeadEngine.CreateDefault();
        engine.Retire(default);
        Assert.False(engine.TryAttachKey(default));
    }

    private static byte[] Seal(AeadEngine engine, AeadKey key)
    {
        byte[] ciphertext = new byte[20], tag = new byte[16];
        Assert.Equal(AeadStatus.Success, engine.Seal(key.Handle, new byte[12], new byte[20], ciphertext, tag));
        return [.. ciphertext, .. tag];
    }
}
