using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike;

/// <summary>What one tunnel within a connection may carry, and how. Immutable, safe for every thread.</summary>
public sealed class IkeChild
{
    /// <summary>Its name, unique within the connection.</summary>
    public required string Name { get; init; }

    /// <summary>Our side of the traffic: what is offered, and what is granted at most. Never more comes of a negotiation.</summary>
    public required IReadOnlyList<TrafficSelector> LocalSelectors { get; init; }

    /// <summary>The peer's side of the traffic.</summary>
    public required IReadOnlyList<TrafficSelector> RemoteSelectors { get; init; }

    /// <summary>
    /// Each lcore's share of <see cref="LocalSelectors"/>, by its index, for peers that do not speak RFC 9611: with them an lcore's child
    /// SA carries this much, and a further one all of it. Empty: such peers get one child SA.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<TrafficSelector>> ResourceSelectors { get; init; } = [];

    /// <summary>
    /// The algorithms, the preferred first. The key exchange of a suite is for forward secrecy, and not used in IKE_AUTH.
    /// </summary>
    public IReadOnlyList<EspSuite> Proposals { get; init; } = EspSuite.Defaults;

    /// <summary>Tunnel or transport mode.</summary>
    public IkeChildMode Mode { get; init; }

    /// <summary>How long an SA lives.</summary>
    public IkeLifetime Lifetime { get; init; } = IkeLifetime.ChildSaDefault;

    internal void Validate(string connection)
    {
        string where = $"connection '{connection}', child '{Name}'";
        if (string.IsNullOrWhiteSpace(Name))
            throw new ArgumentException($"connection '{connection}': a child needs a name.");
        if (LocalSelectors.Count is 0 or > MaxSelectors || RemoteSelectors.Count is 0 or > MaxSelectors)
            throw new ArgumentException($"{where}: name 1 to {MaxSelectors} local and remote selectors.");
        if (Proposals.Count == 0)
            throw new ArgumentException($"{where}: name at least one proposal.");
        foreach (EspSuite suite in Proposals)
        {
            if (suite.KeyExchange != KeyExchangeMethod.None && !KeyExchangeMethods.MayBeFirst(suite.KeyExchange))
                throw new ArgumentException($"{where}, proposal {suite}: name a first key exchange other than ML-KEM, which is an additional one.");
            if (!suite.Additional.IsEmpty && (suite.KeyExchange == KeyExchangeMethod.None || suite.Additional.Rounds.Contains(suite.KeyExchange)))
                throw new ArgumentException($"{where}, proposal {suite}: an additional key exchange comes after a first one, which is another.");
        }
        foreach (IReadOnlyList<TrafficSelector> share in ResourceSelectors)
        {
            if (share.Count is 0 or > MaxSelectors || !share.All(part => LocalSelectors.Any(whole => whole.Covers(part))))
                throw new ArgumentException($"{where}: an lcore's share must lie within the local selectors.");
        }
        Lifetime.Validate(where);
    }

    // RFC 7296 §3.13: the count of a traffic selector payload is one byte.
    private const int MaxSelectors = 255;
}
