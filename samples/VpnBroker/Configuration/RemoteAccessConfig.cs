using CryptoPlane.Ike;
using CryptoPlane.Ike.Crypto;

namespace VpnBroker.Configuration;

/// <summary>Remote users by IKEv2: how they log in, and what holds for all of them. The rest is in their groups' profiles.</summary>
public sealed record RemoteAccessConfig
{
    /// <summary>Who the broker says to be; its certificate names it.</summary>
    public required IkeIdentity LocalId { get; init; }

    /// <summary>
    /// The broker's certificate and key, and the roots of those users who show a certificate; without roots nobody logs in by certificate.
    /// </summary>
    public required IpsecCredentials Credentials { get; init; }

    /// <summary>Algorithms of the IKE SA, the preferred first.</summary>
    public IReadOnlyList<IkeSuite> Proposals { get; init; } = IkeSuite.Defaults;

    /// <summary>Algorithms of ESP, the preferred first.</summary>
    public IReadOnlyList<EspSuite> EspProposals { get; init; } = EspSuite.Defaults;

    /// <summary>Encloses ESP in UDP even where there is no NAT.</summary>
    public bool ForceEncapsulation { get; init; } = true;

    /// <summary>Seconds without a sign of life after which a user's client is asked for one; 0: never.</summary>
    public int DpdSeconds { get; init; } = 30;

    /// <summary>Seconds without an answer after which it is gone; 0: when it has answered no retransmission, after some two minutes.</summary>
    public int DpdTimeoutSeconds { get; init; } = 30;

    /// <summary>Seconds after which the IKE SA is rekeyed.</summary>
    public int LifetimeSeconds { get; init; } = 4 * 3600;

    /// <summary>Seconds after which a pair of ESP SAs is rekeyed.</summary>
    public int EspLifetimeSeconds { get; init; } = 3600;

    /// <summary>Whether clients may move to another address (RFC 4555).</summary>
    public bool Mobike { get; init; } = true;
}
