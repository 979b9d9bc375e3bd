using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.SelfTest;

public sealed unsafe class AeadSelfTestTests
{
    [Theory]
    [InlineData(AeadAlgorithm.Aes128Gcm)]
    [InlineData(AeadAlgorithm.Aes256Gcm)]
    [InlineData(AeadAlgorithm.ChaCha20Poly1305)]
    public void The_expected_digest_is_that_of_openssl(AeadAlgorithm algorithm)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < AeadSelfTest.Messages; i++)
        {
            (byte[] nonce, byte[] aad, byte[] plaintext) = AeadSelfTest.Message(i);
            byte[] key = AeadSelfTest.Key(algorithm, i), ciphertext = new byte[plaintext.Length], tag = new byte[AeadSizes.Tag];
            if (algorithm == AeadAlgorithm.ChaCha20Poly1305)
            {
                using var chacha = new ChaCha20Poly1305(key);
                chacha.Encrypt(nonce, plaintext, ciphertext, tag, aad);
            }
            else
            {
                using var gcm = new AesGcm(key, AeadSizes.Tag);
                gcm.Encrypt(nonce, plaintext, ciphertext, tag, aad);
            }
            digest.AppendData(ciphertext);
            digest.AppendData(tag);
        }
        Assert.Equal(Convert.ToHexStringLower(digest.GetHashAndReset()), AeadSelfTest.ExpectedDigest(algorithm));
    }

    [Fact]
    public void The_published_answers_are_those_of_openssl_too()
    {
        using IAeadBackend portable = AeadBackends.CreatePortable();
        Assert.All(PublishedAnswer.All, answer => Assert.Null(answer.Failure(portable)));
        foreach (AeadAlgorithm algorithm in Enum.GetValues<AeadAlgorithm>().Where(each => each != AeadAlgorithm.None))
            Assert.Contains(PublishedAnswer.All, answer => answer.Algorithm == algorithm);
        PublishedAnswer changed = PublishedAnswer.ChaCha20Poly1305 with { Aad = "00" };
        Assert.Equal("the answer is not that of RFC 8439 §2.8.2", changed.Failure(portable));
    }

    [Fact]
    public void Every_backend_of_this_machine_passes()
    {
        using IAeadBackend portable = AeadBackends.CreatePortable();
        Assert.Null(AeadSelfTest.Failure(portable));
        if (AeadBackends.IsManagedSupported)
        {
            using IAeadBackend managed = AeadBackends.CreateManaged();
            Assert.Null(AeadSelfTest.Failure(managed));
        }
    }

    [Theory]
    [InlineData(Defect.Ciphertext, "not what OpenSSL seals")]
    [InlineData(Defect.Status, "ended with Pending")]
    [InlineData(Defect.OpensForgeries, "opened a forgery")]
    [InlineData(Defect.LeavesPlaintext, "left something")]
    [InlineData(Defect.RefusesKeys, "refuses a key")]
    [InlineData(Defect.MixedDirections, "did not open what it had sealed beside the other direction")]
    [InlineData(Defect.SingleMessage, "not that of GCM test case 16")]
    public void A_backend_that_is_wrong_anywhere_is_found_out_and_not_used(Defect defect, string expected)
    {
        using var backend = new DefectiveBackend(defect);
        string? failure = AeadSelfTest.Failure(backend);
        Assert.NotNull(failure);
        Assert.Contains(expected, failure, StringComparison.Ordinal);
        Assert.Contains("defective", failure, StringComparison.Ordinal);

        var log = new List<string>();
        Assert.Null(AeadBackends.TryCreate(() => AeadBackends.Verified(backend, failure), log.Add));
        Assert.Contains(expected, Assert.Single(log), StringComparison.Ordinal);
        Assert.Throws<AeadSelfTestException>(() => AeadBackends.Verified(backend, failure));
    }

    /// <summary>What is wrong.</summary>
    public enum Defect
    {
        Ciphertext,
        Status,
        OpensForgeries,
        LeavesPlaintext,
        RefusesKeys,
        MixedDirections,
        SingleMessage,
    }

    /// <summary>Computes rightly but for one thing, in one operation.</summary>
    private sealed class DefectiveBackend(Defect defect) : IAeadBackend
    {
        private readonly IAeadBackend _right = AeadBackends.CreatePortable();

        public string Name => "defective";

        public AeadBackendKind Kind => AeadBackendKind.Custom;

        public string Description => Name;

        public bool IsSynchronous => true;

        public int InFlight => 0;

        public bool Supports(AeadAlgorithm algorithm) => algorithm == AeadAlgorithm.Aes256Gcm;

        public bool TryAttachKey(AeadKeyHandle key) => defect != Defect.RefusesKeys && _right.TryAttachKey(key);

        public void DetachKey(AeadKeyHandle key) => _right.DetachKey(key);

        public int Submit(AeadOperation* operations, int count)
        {
            _right.Submit(operations, count);
            for (int i = 0; i < count; i++)
            {
                AeadOperation* operation = operations + i;
                if (defect == Defect.SingleMessage && count == 1 && operation->Length > 0)
                    operation->Destination[0] ^= 1;
                if (defect == Defect.MixedDirections && i > 0 && operations[i].Direction == AeadDirection.Open && operations[i - 1].Direction == AeadDirection.Seal)
                    operation->Destination[0] ^= 1;
                if (operation->Direction == AeadDirection.Seal && i == 9)
                {
                    if (defect == Defect.Ciphertext)
                        operation->Destination[100] ^= 0x10;
                    if (defect == Defect.Status)
                        operation->Status = AeadStatus.Pending;
                }
                if (operation->Status == AeadStatus.AuthenticationFailed)
                {
                    if (defect == Defect.OpensForgeries)
                        operation->Status = AeadStatus.Success;
                    if (defect == Defect.LeavesPlaintext && operation->Length != 0)
                        operation->Destination[operation->Length - 1] = 1;
                }
            }
            return count;
        }

        public int Poll(AeadOperation** completed, int capacity) => 0;

        public void Dispose() => _right.Dispose();
    }
}
