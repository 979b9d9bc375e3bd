namespace CryptoPlane.Ike;

/// <summary>
/// What became of the IKE_SA_INIT requests that came in, each counted once: before a peer has authenticated it is a stranger, and what strangers may
/// cost is bounded (RFC 7296 §2.6, RFC 8019).
/// </summary>
public sealed record IkeGateReport
{
    /// <summary>IKE SAs of now whose peer has begun and not authenticated yet.</summary>
    public required int HalfOpen { get; init; }

    /// <summary>Let through without a cookie.</summary>
    public required long Accepted { get; init; }

    /// <summary>Let through with a good cookie.</summary>
    public required long AcceptedWithCookie { get; init; }

    /// <summary>A repeated request, which got the same answer again.</summary>
    public required long Repeated { get; init; }

    /// <summary>Asked for a cookie: had none.</summary>
    public required long CookiesDemanded { get; init; }

    /// <summary>Asked for a cookie: had a wrong or an old one.</summary>
    public required long CookiesRefused { get; init; }

    /// <summary>Dropped: no IKE_SA_INIT request.</summary>
    public required long Malformed { get; init; }

    /// <summary>Dropped: there are as many half-open IKE SAs as there may be.</summary>
    public required long TooManyHalfOpen { get; init; }

    /// <summary>Dropped: its address has as many half-open IKE SAs as it may have.</summary>
    public required long TooManyFromAddress { get; init; }

    /// <summary>Dropped: too many in this second, from all or from its address.</summary>
    public required long TooFast { get; init; }

    /// <summary>Answered: a higher major version.</summary>
    public required long VersionsRefused { get; init; }

    /// <summary>Half-open IKE SAs that did not become established in time.</summary>
    public required long Expired { get; init; }
}
