using System.Text;
using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Tests.Authentication.Eap;

public class MsChapV2Tests
{
    // RFC 2759 §9.2.
    public static readonly byte[] AuthenticatorChallenge = Convert.FromHexString("5B5D7C7D7B3F2F3E3C2C602132262628");
    public static readonly byte[] PeerChallenge = Convert.FromHexString("21402324255E262A28295F2B3A337C7E");
    public const string Password = "clientPass", Hash = "44EBBA8D5312B8D611474411F56989AE", Response = "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF";

    [Theory]
    // RFC 1320 §A.5.
    [InlineData("", "31d6cfe0d16ae931b73c59d7e0c089c0")]
    [InlineData("a", "bde52cb31de33e46245e05fbdbd6fb24")]
    [InlineData("abc", "a448017aaf21d8525fc10ae87aa6729d")]
    [InlineData("message digest", "d9130a8164549fe818874806e1c7014b")]
    [InlineData("abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9")]
    [InlineData("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "043f8582f241db351ce627e153e7f0e4")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345678901234567890", "e33b4ddc9c38f2199c3e7b164fcc0536")]
    public void MD4_gives_the_published_digests(string text, string expected)
    {
        byte[] digest = new byte[16];
        Md4.HashData(Encoding.ASCII.GetBytes(text), digest);
        Assert.Equal(expected, Convert.ToHexStringLower(digest));
    }

    [Theory]
    // From NIST SP 800-17's variable plaintext and variable key tests; keys without their parity bits.
    [InlineData("00000000000000", "8000000000000000", "95F8A5E5DD31D900")]
    [InlineData("00000000000000", "0000000000000001", "166B40B44ABA4BD6")]
    [InlineData("80000000000000", "0000000000000000", "95A8D72813DAA94D")]
    [InlineData("00000000000001", "0000000000000000", "869EFD7F9F265A09")]
    public void DES_gives_the_published_blocks(string key, string clear, string expected)
    {
        byte[] cipher = new byte[8];
        Des.Encrypt(Convert.FromHexString(key), Convert.FromHexString(clear), cipher);
        Assert.Equal(expected, Convert.ToHexString(cipher));
    }

    [Fact]
    public void The_published_exchange_is_computed()
    {
        byte[] hash = new byte[EapPassword.HashLength], response = new byte[24], proof = new byte[20];
        EapPassword.Hash(Password, hash);
        Assert.Equal(Hash, Convert.ToHexString(hash));
        MsChapV2.ComputeResponse(AuthenticatorChallenge, PeerChallenge, "User"u8, hash, response);
        Assert.Equal(Response, Convert.ToHexString(response));
        MsChapV2.ComputeAuthenticatorResponse(AuthenticatorChallenge, PeerChallenge, "User"u8, hash, response, proof);
        Assert.Equal("407A5589115FD0D6209F510FE9C04566932CDA56", Convert.ToHexString(proof));
    }

    [Fact]
    public void A_domain_before_the_name_makes_no_difference()
    {
        byte[] response = new byte[24];
        MsChapV2.ComputeResponse(AuthenticatorChallenge, PeerChallenge, @"DOMAIN\User"u8, Convert.FromHexString(Hash), response);
        Assert.Equal(Response, Convert.ToHexString(response));
    }

    [Fact]
    public void The_MSK_has_the_published_send_key_of_the_server()
    {
        // RFC 3079 §5.3: SendStartKey128 of the server for the same exchange.
        using SecretBytes msk = MsChapV2.DeriveMsk(Convert.FromHexString(Hash), Convert.FromHexString(Response));
        Assert.Equal(64, msk.Length);
        Assert.Equal("8B7CDC149B993A1BA118CB153F56DCCB", Convert.ToHexString(msk.Value[16..32]));
        Assert.Equal(new byte[32], msk.Value[32..]);
    }

    [Fact]
    public void Passwords_have_a_longest_length()
    {
        byte[] hash = new byte[EapPassword.HashLength];
        EapPassword.Hash(new string('x', EapPassword.MaxLength), hash);
        Assert.Throws<ArgumentException>(() => EapPassword.Hash(new string('x', EapPassword.MaxLength + 1), hash));
        Assert.Throws<ArgumentException>(() => EapPassword.Hash("x", new byte[15]));
    }
}
