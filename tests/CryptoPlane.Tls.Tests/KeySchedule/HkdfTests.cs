using CryptoPlane.TestKit;
using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Tests.KeySchedule;

public sealed class HkdfTests
{
    private static byte[] Range(int first, int count) => [.. Enumerable.Range(first, count).Select(i => (byte)i)];

    public static TheoryData<byte[], byte[], byte[], string, string> Rfc5869 => new()
    {
        // RFC 5869 §A.1, §A.2, §A.3
        {
            Hex.Parse("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), Range(0, 13), Range(0xf0, 10),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        },
        {
            Range(0, 80), Range(0x60, 80), Range(0xb0, 80),
            "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        },
        {
            Hex.Parse("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), [], [],
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        },
    };

    [Theory]
    [MemberData(nameof(Rfc5869))]
    public void Gives_the_values_of_RFC_5869(byte[] inputKeyingMaterial, byte[] salt, byte[] info, string pseudorandomKey, string output)
    {
        byte[] extracted = new byte[32];
        Hkdf.Extract(TlsHash.Sha256, salt, inputKeyingMaterial, extracted);
        Assert.Equal(pseudorandomKey, Convert.ToHexStringLower(extracted));

        byte[] expanded = new byte[output.Length / 2];
        Hkdf.Expand(TlsHash.Sha256, extracted, info, expanded);
        Assert.Equal(output, Convert.ToHexStringLower(expanded));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(48)]
    [InlineData(49)]
    [InlineData(255 * 48)]
    public void Expands_with_SHA_384_as_the_framework_does(int length)
    {
        byte[] key = Range(7, 48), info = Range(90, 33), ours = new byte[length], theirs = new byte[length];
        Hkdf.Expand(TlsHash.Sha384, key, info, ours);
        System.Security.Cryptography.HKDF.Expand(System.Security.Cryptography.HashAlgorithmName.SHA384, key, theirs, info);
        Assert.Equal(theirs, ours);
    }

    [Fact]
    public void Refuses_what_HKDF_cannot_give()
    {
        byte[] key = new byte[32];
        Assert.Throws<ArgumentException>(() => Hkdf.Expand(TlsHash.Sha256, key, [], new byte[255 * 32 + 1]));
        Assert.Throws<ArgumentException>(() => Hkdf.ExpandLabel(TlsHash.Sha256, key, new byte[250], [], new byte[32]));
        Assert.Throws<ArgumentException>(() => Hkdf.ExpandLabel(TlsHash.Sha256, key, "label"u8, new byte[256], new byte[32]));
    }

    [Fact]
    public void A_label_may_be_as_long_as_its_length_byte_says()
    {
        byte[] key = Range(0, 32), label = new byte[249], context = new byte[255], output = new byte[16];
        Array.Fill(label, (byte)'x');
        Hkdf.ExpandLabel(TlsHash.Sha256, key, label, context, output);
        // RFC 8446 §7.1: uint16 length, opaque label<7..255> with its prefix, opaque context<0..255>.
        byte[] info = [0, 16, 255, .. "tls13 "u8, .. label, 255, .. context];
        byte[] expected = System.Security.Cryptography.HKDF.Expand(System.Security.Cryptography.HashAlgorithmName.SHA256, key, 16, info);
        Assert.Equal(expected, output);
    }

    [Fact]
    public void The_keys_behind_a_KeyUpdate_cost_no_managed_memory()
    {
        byte[] secret = new byte[48], key = new byte[32], iv = new byte[12];
        CipherSuiteParameters parameters = CipherSuiteParameters.Of(TlsCipherSuite.Aes256GcmSha384);
        void Update()
        {
            for (int i = 0; i < 100; i++)
            {
                TrafficKeys.Advance(parameters.Hash, secret);
                TrafficKeys.Derive(parameters, secret, key, iv);
            }
        }

        Update();
        AllocationReading reading = AllocationMeter.Measure(Update);
        Assert.Equal(0, reading.AllocatedBytes);
    }
}
