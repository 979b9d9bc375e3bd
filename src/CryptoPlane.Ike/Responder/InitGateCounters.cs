namespace CryptoPlane.Ike.Responder;

/// <summary>What the gate did so far; <see cref="IkeGateReport"/> says what each number means. On the endpoint's thread.</summary>
internal sealed class InitGateCounters
{
    public long Accepted { get; set; }
    public long AcceptedWithCookie { get; set; }
    public long Repeated { get; set; }
    public long CookiesDemanded { get; set; }
    public long CookiesRefused { get; set; }
    public long Malformed { get; set; }
    public long TooManyHalfOpen { get; set; }
    public long TooManyFromAddress { get; set; }
    public long TooFast { get; set; }
    public long VersionsRefused { get; set; }
    public long Expired { get; set; }
}
