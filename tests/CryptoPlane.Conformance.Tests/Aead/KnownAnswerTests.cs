using System.Text;
using CryptoPlane.Aead;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>Examples that are typed in from the documents that define the AEADs and their use.</summary>
public sealed class KnownAnswerTests
{
    public static TheoryData<string> Backends => BackendCatalog.Names;

    [Theory]
    [MemberData(nameof(Backends))]
    public void Examples_of_the_standards(string backend) => VectorRunner.Run(backend, [Rfc8439(), Gcm(4), Gcm(16), GcmEmpty(), Rfc4106Esp()]);

    /// <summary>RFC 8439 §2.8.2.</summary>
    private static TestMessage Rfc8439() => Message(
        "RFC 8439 §2.8.2",
        AeadAlgorithm.ChaCha20Poly1305,
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        nonce: "070000004041424344454647",
        aad: "50515253c0c1c2c3c4c5c6c7",
        plaintext: Convert.ToHexString(Encoding.ASCII.GetBytes(
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.")),
        ciphertext: "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
            + "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
            + "3ff4def08e4b7a9de576d26586cec64b6116",
        tag: "1ae10b594f09e26a7e902ecbd0600691");

    /// <summary>Test cases 4 and 16 of the GCM specification that NIST received (McGrew and Viega, Appendix B): 60 bytes, 20 of AAD.</summary>
    private static TestMessage Gcm(int number) => Message(
        $"GCM specification, test case {number}",
        number == 4 ? AeadAlgorithm.Aes128Gcm : AeadAlgorithm.Aes256Gcm,
        key: number == 4 ? "feffe9928665731c6d6a8f9467308308" : "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce: "cafebabefacedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        ciphertext: number == 4
            ? "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
            : "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        tag: number == 4 ? "5bc94fbc3221a5db94fae95ae7121a47" : "76fc6ece0f4e1768cddf8853bb2d551b");

    /// <summary>Test case 1 of the same: nothing at all to encrypt.</summary>
    private static TestMessage GcmEmpty() => Message(
        "GCM specification, test case 1",
        AeadAlgorithm.Aes128Gcm,
        key: "00000000000000000000000000000000",
        nonce: "000000000000000000000000",
        aad: "",
        plaintext: "",
        ciphertext: "",
        tag: "58e2fccefa7e3061367f1d57a4e7455a");

    /// <summary>
    /// RFC 4106 §4 and §5: nonce = 4-byte salt ‖ 8-byte IV of the packet; AAD with extended sequence numbers = SPI ‖ high ‖ low (12
    /// bytes); ICV of 16 bytes. The packet is the first of draft-mcgrew-gcm-test: IPv4 and UDP, padded by two, next header 1.
    /// </summary>
    private static TestMessage Rfc4106Esp()
    {
        const string Salt = "2e443b68", Iv = "4956ed7e3b244cfe", Spi = "00004321", SequenceHigh = "87654321", SequenceLow = "00000000";
        return Message(
            "RFC 4106 with the packet of draft-mcgrew-gcm-test",
            AeadAlgorithm.Aes128Gcm,
            key: "4c80cdefbb5d10da906ac73c3613a634",
            nonce: Salt + Iv,
            aad: Spi + SequenceHigh + SequenceLow,
            plaintext: "45000048699a000080114db7c0a80102c0a801010a9bf15638d3010000010000000000"
                + "00045f736970045f756470037369700963796265726369747902646b0000210001"
                + "01020201",
            ciphertext: "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff62"
                + "47aeabb786b93bce61bc17d768fd9732",
            tag: "459018148f6cbe722fd04796562dfdb4");
    }

    private static TestMessage Message(string name, AeadAlgorithm algorithm, string key, string nonce, string aad, string plaintext, string ciphertext, string tag) =>
        new(
            name,
            algorithm,
            Convert.FromHexString(key),
            Convert.FromHexString(nonce),
            Convert.FromHexString(aad),
            Convert.FromHexString(plaintext),
            Convert.FromHexString(ciphertext),
            Convert.FromHexString(tag));
}
