using VpnBroker.Sessions;

namespace VpnBroker.Tests.Sessions;

public class CookieHashTests
{
    [Fact]
    public void A_cookie_has_256_bits_and_only_it_has_its_hash()
    {
        CookieHash hash = CookieHash.Create(out string cookie);
        Assert.Equal(CookieHash.TextLength, cookie.Length);
        Assert.True(CookieHash.TryParse(cookie, out CookieHash same));
        Assert.Equal(hash, same);
        Assert.NotEqual(hash, CookieHash.Create(out string other));
        Assert.NotEqual(cookie, other);
        char[] changed = cookie.ToCharArray();
        changed[^1] = changed[^1] == '0' ? '1' : '0';
        Assert.True(CookieHash.TryParse(changed, out CookieHash different));
        Assert.NotEqual(hash, different);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("zz00000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("00000000000000000000000000000000000000000000000000000000000000000")]
    public void Other_text_is_no_cookie(string text) => Assert.False(CookieHash.TryParse(text, out _));
}
