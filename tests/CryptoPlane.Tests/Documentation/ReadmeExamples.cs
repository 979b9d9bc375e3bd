using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Documentation;

/// <summary>README.md's examples: the code that stands there is the code that runs here.</summary>
public sealed unsafe class ReadmeExamples
{
    [Fact]
    public void A_burst_is_sealed_and_opened()
    {
        byte[] secret = new byte[16];
        Random.Shared.NextBytes(secret);
        using var memory = new NativeBuffer(4 * 2048);
        byte* packets = memory.Pointer;
        memory.Span.Fill(0x45);

        #region aead
        using AeadEngine engine = AeadEngine.CreateDefault();    // native kernels where they are, else managed ones, else libcrypto
        using AeadBurst burst = new(capacity: 32);               // descriptors of one cache line, in native memory
        using AeadKey key = AeadKey.Create(AeadAlgorithm.Aes128Gcm, secret);

        Span<byte> nonce = stackalloc byte[AeadSizes.Nonce];
        for (int i = 0; i < 4 && burst.TryAdd(out AeadOperation* operation); i++)
        {
            nonce[^1] = (byte)i;                                 // never twice under one key
            *operation = new AeadOperation
            {
                Key = key.Handle,
                Direction = AeadDirection.Seal,
                Source = packets + i * 2048,                     // in place; the tag follows the ciphertext
                Destination = packets + i * 2048,
                Length = 1400,
            };
            operation->SetNonce(nonce);
            operation->SetInlineAad("header"u8);
        }
        burst.Run(engine);                                       // allocates nothing, takes no lock, throws nothing
        for (int i = 0; i < burst.Count; i++)
            Console.WriteLine($"packet {i}: {burst[i]->Status}");
        #endregion

        for (int i = 0; i < burst.Count; i++)
        {
            Assert.Equal(AeadStatus.Success, burst[i]->Status);
            Assert.NotEqual(0x45, packets[i * 2048 + 700]);
            burst[i]->Direction = AeadDirection.Open;
        }
        burst.Run(engine);
        for (int i = 0; i < burst.Count; i++)
        {
            Assert.Equal(AeadStatus.Success, burst[i]->Status);
            Assert.True(memory.Span.Slice(i * 2048, 1400).IndexOfAnyExcept((byte)0x45) < 0);
        }
    }
}
