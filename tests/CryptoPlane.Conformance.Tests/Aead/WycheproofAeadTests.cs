using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>Wycheproof's AES-GCM and ChaCha20-Poly1305 vectors, on every backend.</summary>
public sealed class WycheproofAeadTests(ITestOutputHelper output)
{
    public static TheoryData<string> Backends => BackendCatalog.Names;

    [Theory]
    [MemberData(nameof(Backends))]
    public void Aes_gcm(string backend)
    {
        // The file's 316 cases with a key of 192 bits, or an IV of another size than 96 bits, are not the AEADs of RFC 5116.
        int run = VectorRunner.Run(backend, Load("aes_gcm_test.json", output));
        Assert.Equal(133, run);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void ChaCha20_Poly1305(string backend)
    {
        int run = VectorRunner.Run(backend, Load("chacha20_poly1305_test.json", output));
        Assert.Equal(316, run);
    }

    private static List<TestMessage> Load(string name, ITestOutputHelper output)
    {
        using WycheproofFile file = WycheproofFile.Load(name);
        bool gcm = name.StartsWith("aes_gcm", StringComparison.Ordinal);
        var messages = new List<TestMessage>();
        int outOfScope = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            int keyBits = test.GroupInt("keySize");
            if (test.GroupInt("ivSize") != 96 || test.GroupInt("tagSize") != 128 || keyBits is not (128 or 256))
            {
                outOfScope++;
                continue;
            }
            AeadAlgorithm algorithm = !gcm ? AeadAlgorithm.ChaCha20Poly1305 : keyBits == 128 ? AeadAlgorithm.Aes128Gcm : AeadAlgorithm.Aes256Gcm;
            messages.Add(new TestMessage(
                $"{name} {test}", algorithm, test.Hex("key"), test.Hex("iv"), test.Hex("aad"), test.Hex("msg"), test.Hex("ct"), test.Hex("tag"))
            {
                Valid = test.Result == WycheproofResult.Valid,
            });
        }
        Assert.Equal(file.NumberOfTests, messages.Count + outOfScope);
        output.WriteLine($"{name}: {messages.Count} cases run, {outOfScope} out of scope (IV not 96 bits, tag not 128 bits, or a key of 192 bits)");
        return messages;
    }
}
