namespace CryptoPlane.Ike.Responder;

/// <summary>What the gate did, each request counted once. On the endpoint's thread.</summary>
internal sealed class InitGateCounters
{
    /// <summary>Let through without a cookie.</summary>
    public long Accepted { get; set; }

    /// <summary>Let through with a good cookie.</summary>
    public long AcceptedWithCookie { get; set; }

    /// <summary>A repeated request, which got the same answer again.</summary>
    public long Repeated { get; set; }

    /// <summary>Asked for a cookie: had none.</summary>
    public long CookiesDemanded { get; set; }

    /// <summary>Asked for a cookie: had a wrong or an old one.</summary>
    public long CookiesRefused { get; set; }

    /// <summary>Dropped: no IKE_SA_INIT request.</summary>
    public long Malformed { get; set; }

    /// <summary>Dropped: there are as many half-open IKE SAs as there may be.</summary>
    public long TooManyHalfOpen { get; set; }

    /// <summary>Dropped: its address has as many half-open IKE SAs as it may have.</summary>
    public long TooManyFromAddress { get; set; }

    /// <summary>Dropped: too many in this second, from all or from its address.</summary>
    public long TooFast { get; set; }

    /// <summary>Answered: a higher major version.</summary>
    public long VersionsRefused { get; set; }

    /// <summary>Half-open IKE SAs that did not become established in time.</summary>
    public long Expired { get; set; }
}
