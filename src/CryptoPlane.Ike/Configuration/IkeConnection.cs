using System.Net;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.RemoteAccess;

namespace CryptoPlane.Ike;

/// <summary>
/// A peer, or many that are alike: who it may be, how both sides authenticate, and what it is granted. Immutable, safe for every thread.
/// </summary>
public sealed class IkeConnection
{
    /// <summary>Its name, unique within the endpoint.</summary>
    public required string Name { get; init; }

    /// <summary>Our address; null: any, which cannot initiate.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>The peer's address, or the prefix of the peers; null: any. Only to a single address can be initiated.</summary>
    public IPNetwork? RemoteAddress { get; init; }

    /// <summary>Who we say to be.</summary>
    public required IkeIdentity LocalId { get; init; }

    /// <summary>Who the peer may be.</summary>
    public required IkeIdentityPattern RemoteId { get; init; }

    /// <summary>How we show who we are.</summary>
    public required IkeAuthentication LocalAuthentication { get; init; }

    /// <summary>How the peer shows who it is.</summary>
    public required IkeAuthentication RemoteAuthentication { get; init; }

    /// <summary>The algorithms of the IKE SA, the preferred first.</summary>
    public IReadOnlyList<IkeSuite> Proposals { get; init; } = IkeSuite.Defaults;

    /// <summary>What the peer is granted: the first child is made by IKE_AUTH.</summary>
    public required IReadOnlyList<IkeChild> Children { get; init; }

    /// <summary>After so many milliseconds without a sign of life the peer is asked for one (RFC 7296 §2.4); 0: never.</summary>
    public long DeadPeerDelay { get; init; } = 30_000;

    /// <summary>
    /// After so many milliseconds in which it has not answered a request, a peer that was up is dead; 0: when it has answered none of
    /// <see cref="IkeEndpointOptions.RetransmitTries"/>, which takes minutes (RFC 7296 §2.4).
    /// </summary>
    public long DeadPeerTimeout { get; init; }

    /// <summary>How long the IKE SA lives.</summary>
    public IkeLifetime Lifetime { get; init; } = IkeLifetime.IkeSaDefault;

    /// <summary>
    /// Encloses ESP in UDP even where there is no NAT: the hash of our address is spoilt, so that the peer does it too (RFC 7296 §2.23).
    /// </summary>
    public bool ForceEncapsulation { get; init; }

    /// <summary>Lets a peer that says so move to another address (RFC 4555); we never move ourselves.</summary>
    public bool Mobike { get; init; } = true;

    /// <summary>
    /// Longest IP packet of an IKE message in bytes, header included, where the peer takes fragments (RFC 7383); 0: never fragments.
    /// </summary>
    public int FragmentSize { get; init; } = 1280;

    /// <summary>What is done when it is configured.</summary>
    public IkeStartAction StartAction { get; init; }

    /// <summary>Which of several connections to the same selectors is preferred: the lower number. The endpoint only reports it.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// Inner addresses, and what goes with them, for remote users; null: the peers have addresses of their own, which the children name.
    /// </summary>
    public IIkeRemoteAccess? RemoteAccess { get; init; }

    /// <summary>How many lcores shall have child SAs of their own (RFC 9611); 0: one child SA serves all.</summary>
    public int Resources { get; init; }

    /// <summary>The one address of the peer, or null where there are several.</summary>
    internal IPAddress? SingleRemoteAddress =>
        RemoteAddress is { } network && network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8 ? network.BaseAddress : null;

    /// <summary>Whether a peer at this address may be one of the connection's.</summary>
    internal bool MatchesAddresses(IPAddress local, IPAddress remote) =>
        (LocalAddress is null || LocalAddress.Equals(local)) && (RemoteAddress is not { } network || network.Contains(remote));

    /// <summary>Looks for contradictions.</summary>
    /// <exception cref="ArgumentException">What is wrong, and what to write instead.</exception>
    public void Validate()
    {
        if (string.IsNullOrWhiteSpace(Name))
            throw new ArgumentException("A connection needs a name.");
        if (LocalAuthentication is IkeCertificateTrust or IkeEapMsChapV2)
            throw new ArgumentException($"connection '{Name}': we authenticate by a pre-shared key or a certificate of our own, not by trust.");
        if (RemoteAuthentication is IkeCertificate)
            throw new ArgumentException($"connection '{Name}': the peer authenticates by a pre-shared key, or a certificate that IkeCertificateTrust trusts.");
        // RFC 7296 §2.16: who authenticates by EAP must know before to whom.
        if (RemoteAuthentication is IkeEapMsChapV2 && LocalAuthentication is not IkeCertificate)
            throw new ArgumentException($"connection '{Name}': users may log in by EAP only where we authenticate by a certificate.");
        if (StartAction == IkeStartAction.Start && (RemoteAuthentication is IkeEapMsChapV2 || RemoteAccess is not null))
            throw new ArgumentException($"connection '{Name}': remote users begin themselves; it cannot be started from here.");
        if (StartAction == IkeStartAction.Start && (LocalAddress is null || SingleRemoteAddress is null))
            throw new ArgumentException($"connection '{Name}': to start it, name the local address and a single remote one.");
        if (Proposals.Count == 0)
            throw new ArgumentException($"connection '{Name}': name at least one proposal.");
        foreach (IkeSuite suite in Proposals)
        {
            if (!KeyExchangeMethods.MayBeFirst(suite.KeyExchange))
                throw new ArgumentException($"connection '{Name}', proposal {suite}: name a first key exchange other than ML-KEM, which is an additional one.");
            if (suite.Additional.Rounds.Contains(suite.KeyExchange))
                throw new ArgumentException($"connection '{Name}', proposal {suite}: an additional key exchange is another one than the first.");
        }
        if (DeadPeerDelay < 0 || DeadPeerTimeout < 0)
            throw new ArgumentException($"connection '{Name}': the times of dead-peer detection are not negative.");
        if (FragmentSize is not (0 or >= MinFragmentSize))
            throw new ArgumentException($"connection '{Name}': fragments have at least {MinFragmentSize} bytes; 0 turns them off.");
        if (Resources is < 0 or > MaxResources)
            throw new ArgumentException($"connection '{Name}': 0 to {MaxResources} resources.");
        if (Children.Count == 0)
            throw new ArgumentException($"connection '{Name}': name at least one child.");
        if (Children.DistinctBy(child => child.Name).Count() != Children.Count)
            throw new ArgumentException($"connection '{Name}': two children have the same name.");
        Lifetime.Validate($"connection '{Name}'");
        foreach (IkeChild child in Children)
            child.Validate(Name);
    }

    // An IPv4 host takes at least 576 bytes (RFC 7383 §2.5.1); the top byte of an inbound SPI names an lcore, and 0 and 255 are not lcores.
    private const int MinFragmentSize = 576, MaxResources = 254;
}
