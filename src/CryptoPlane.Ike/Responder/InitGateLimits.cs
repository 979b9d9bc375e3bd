namespace CryptoPlane.Ike.Responder;

/// <summary>
/// How much strangers may make this side do and hold. Two kinds of limits: up to the first a stranger needs to show nothing; above it he
/// has to return a cookie, which shows that he receives at his address; up to the second even that is served.
/// </summary>
/// <remarks>
/// Since cookies are demanded far below the hard limits, who invents source addresses cannot use up what those who receive at theirs need.
/// An address here is an IPv4 address, or the /64 of an IPv6 address, of which a single host has all.
/// </remarks>
internal sealed record InitGateLimits
{
    /// <summary>Most half-open IKE SAs.</summary>
    public int HalfOpen { get; init; } = 1_024;

    /// <summary>From so many half-open IKE SAs on, everybody needs a cookie: an eighth of what there may be.</summary>
    public int HalfOpenBeforeCookie => Math.Max(1, HalfOpen / 8);

    /// <summary>Most half-open IKE SAs of an address. Many peers may share one behind a NAT.</summary>
    public int HalfOpenPerAddress { get; init; } = 64;

    /// <summary>From so many half-open IKE SAs of an address on, it needs cookies.</summary>
    public int HalfOpenPerAddressBeforeCookie { get; init; } = 8;

    /// <summary>How long an IKE SA may be half open, in milliseconds.</summary>
    public long HalfOpenTimeout { get; init; } = 30_000;

    /// <summary>New IKE SAs per second from all addresses: each costs a key exchange.</summary>
    public int PerSecond { get; init; } = 1_000;

    /// <summary>New IKE SAs per second from all addresses without a cookie.</summary>
    public int PerSecondBeforeCookie { get; init; } = 200;

    /// <summary>New IKE SAs per second from one address.</summary>
    public int PerSecondPerAddress { get; init; } = 50;

    /// <summary>New IKE SAs per second from one address without a cookie.</summary>
    public int PerSecondPerAddressBeforeCookie { get; init; } = 10;

    /// <summary>Answers per second to messages of versions to come, in all.</summary>
    public int RefusalsPerSecond { get; init; } = 10;

    /// <summary>After so many milliseconds there is a new secret for cookies; cookies of the one before are still taken.</summary>
    public long CookieLifetime { get; init; } = 60_000;
}
