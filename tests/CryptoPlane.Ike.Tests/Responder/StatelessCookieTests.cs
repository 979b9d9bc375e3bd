using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Ike.Responder;

namespace CryptoPlane.Ike.Tests.Responder;

public sealed class StatelessCookieTests : IDisposable
{
    private const long Lifetime = 1_000;
    private static readonly IPAddress s_address = IPAddress.Parse("192.0.2.1");
    private static readonly byte[] s_nonce = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private readonly StatelessCookie _cookies = new(RandomNumberGenerator.Fill, Lifetime);

    public void Dispose() => _cookies.Dispose();

    [Fact]
    public void A_cookie_is_good_for_what_it_was_made_for()
    {
        byte[] cookie = _cookies.Make(s_address, 7, s_nonce, 10);
        Assert.True(_cookies.IsGood(cookie, s_address, 7, s_nonce, 10));
        Assert.False(_cookies.IsGood(cookie, IPAddress.Parse("192.0.2.2"), 7, s_nonce, 10));
        Assert.False(_cookies.IsGood(cookie, IPAddress.Parse("::c000:201"), 7, s_nonce, 10));
        Assert.False(_cookies.IsGood(cookie, s_address, 8, s_nonce, 10));
        Assert.False(_cookies.IsGood(cookie, s_address, 7, s_nonce.AsSpan(0, 31), 10));
    }

    [Fact]
    public void Every_byte_of_it_counts()
    {
        byte[] cookie = _cookies.Make(s_address, 7, s_nonce, 10);
        for (int i = 0; i < cookie.Length; i++)
        {
            cookie[i] ^= 1;
            Assert.False(_cookies.IsGood(cookie, s_address, 7, s_nonce, 10));
            cookie[i] ^= 1;
        }
        Assert.False(_cookies.IsGood(cookie.AsSpan(0, 32), s_address, 7, s_nonce, 10));
        Assert.False(_cookies.IsGood([.. cookie, 0], s_address, 7, s_nonce, 10));
    }

    [Fact]
    public void It_outlives_one_change_of_the_secret_and_not_two()
    {
        byte[] cookie = _cookies.Make(s_address, 7, s_nonce, 0);
        Assert.NotEqual(cookie, _cookies.Make(s_address, 7, s_nonce, Lifetime));
        Assert.True(_cookies.IsGood(cookie, s_address, 7, s_nonce, (2 * Lifetime) - 1));
        Assert.False(_cookies.IsGood(cookie, s_address, 7, s_nonce, 2 * Lifetime));
    }

    [Fact]
    public void It_does_not_outlive_a_long_silence()
    {
        byte[] cookie = _cookies.Make(s_address, 7, s_nonce, 0);
        Assert.False(_cookies.IsGood(cookie, s_address, 7, s_nonce, 100 * Lifetime));
    }

    [Fact]
    public void Another_endpoint_has_other_secrets()
    {
        using StatelessCookie other = new(RandomNumberGenerator.Fill, Lifetime);
        Assert.False(other.IsGood(_cookies.Make(s_address, 7, s_nonce, 0), s_address, 7, s_nonce, 0));
    }
}
