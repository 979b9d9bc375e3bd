using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Session;

/// <summary>A pair of child SAs, without its keys: those went to whoever carries the packets.</summary>
internal sealed class ChildSa
{
    public required ChildSaId Id { get; init; }

    public required uint OutboundSpi { get; init; }

    public required IkeChild Configuration { get; init; }

    public required EspSuite Suite { get; init; }

    public required IReadOnlyList<TrafficSelector> LocalSelectors { get; init; }

    public required IReadOnlyList<TrafficSelector> RemoteSelectors { get; init; }

    /// <summary>The lcore that alone uses it; null: any.</summary>
    public required int? Resource { get; init; }

    /// <summary>Whether both sides agreed on SA_RESOURCE_INFO for it (RFC 9611): what replaces it must say so again.</summary>
    public required bool HasResourceInfo { get; init; }

    public required long InstalledAt { get; init; }

    /// <summary>The IKE SA that it belongs to now; a rekey of the IKE SA changes it.</summary>
    public required IkeSa Parent { get; set; }

    public ChildSaState State { get; set; }

    /// <summary>When rekeying begins; <see cref="long.MaxValue"/>: not planned, or already on its way.</summary>
    public required long RekeyAt { get; set; }

    /// <summary>When it is deleted, replaced or not.</summary>
    public required long ExpireAt { get; set; }

    /// <summary>When a lingering one is removed.</summary>
    public long LingerUntil { get; set; } = long.MaxValue;

    /// <summary>What has taken its place, made by either side.</summary>
    public ChildSa? ReplacedBy { get; set; }

    /// <summary>What it takes the place of.</summary>
    public ChildSa? Replaces { get; set; }

    /// <summary>Whether the peer may rekey it: it lives, and nothing has taken its place.</summary>
    public bool MayBeReplaced => State is (ChildSaState.Installed or ChildSaState.Active) && ReplacedBy is null;

    /// <summary>Whether we may rekey it: before it is active, the peer may not have our answer yet, and would not know it.</summary>
    public bool MayBeRekeyed => MayBeReplaced && State == ChildSaState.Active;

    /// <summary>The next thing that time brings.</summary>
    public long NextTimeout => State switch
    {
        ChildSaState.Installed => ExpireAt,
        ChildSaState.Active => Math.Min(RekeyAt, ExpireAt),
        ChildSaState.Lingering => LingerUntil,
        _ => long.MaxValue,
    };

    public ChildSaReport Report() =>
        new(Id, OutboundSpi, Configuration.Name, Resource, Suite, Configuration.Mode, LocalSelectors, RemoteSelectors, InstalledAt, RekeyAt,
            ReplacedBy is not null || State == ChildSaState.Lingering);
}
