using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>
/// Every buffer of an operation ends at a page that kills the process when it is touched, then begins behind one: no backend reads or
/// writes a byte outside of what the descriptor gives it.
/// </summary>
public sealed unsafe class GuardPageTests
{
    public static TheoryData<string, GuardPage> Cases
    {
        get
        {
            var cases = new TheoryData<string, GuardPage>();
            foreach (string backend in BackendCatalog.Names.Select(row => row.Data))
            {
                cases.Add(backend, GuardPage.Before);
                cases.Add(backend, GuardPage.Behind);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Sizes_0_to_300_at_a_page_boundary(string backend, GuardPage guard)
    {
        using AeadEngine engine = BackendCatalog.CreateEngine(backend);
        using var descriptor = new NativeBuffer(AeadOperation.SizeInBytes, guard);
        using var aad = new NativeBuffer(23, guard);
        var operation = (AeadOperation*)descriptor.Pointer;
        foreach (AeadAlgorithm algorithm in new[] { AeadAlgorithm.Aes128Gcm, AeadAlgorithm.Aes256Gcm, AeadAlgorithm.ChaCha20Poly1305 })
        {
            AeadKeyHandle key = AeadKey.CreateDetached(algorithm, new byte[AeadSizes.Key(algorithm)]);
            for (int length = 0; length <= 300; length++)
            {
                using var plaintext = new NativeBuffer(length, guard);
                using var ciphertext = new NativeBuffer(length + AeadSizes.Tag, guard);
                using var opened = new NativeBuffer(length, guard);
                plaintext.Span.Fill((byte)length);

                void Run(NativeBuffer source, NativeBuffer destination, AeadDirection direction, AeadStatus expected)
                {
                    *operation = default;
                    operation->Source = source.Pointer;
                    operation->Destination = destination.Pointer;
                    operation->Key = key;
                    operation->Length = (uint)length;
                    operation->Direction = direction;
                    operation->AadPointer = aad.Pointer;
                    operation->AadLength = (ushort)aad.Length;
                    engine.Run(operation, 1);
                    Assert.Equal(expected, operation->Status);
                }

                Run(plaintext, ciphertext, AeadDirection.Seal, AeadStatus.Success);
                Run(ciphertext, opened, AeadDirection.Open, AeadStatus.Success);
                Assert.True(plaintext.Span.SequenceEqual(opened.Span));
                ciphertext.Span[length / 2] ^= 1;
                Run(ciphertext, opened, AeadDirection.Open, AeadStatus.AuthenticationFailed);
                Assert.False(opened.Span.ContainsAnyExcept((byte)0));
                ciphertext.Span[length / 2] ^= 1;
                Run(ciphertext, ciphertext, AeadDirection.Open, AeadStatus.Success);
                Run(ciphertext, ciphertext, AeadDirection.Seal, AeadStatus.Success);
            }
            engine.Retire(key);
        }
    }
}
