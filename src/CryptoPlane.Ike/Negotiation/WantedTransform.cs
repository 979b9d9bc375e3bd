using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Negotiation;

/// <summary>What a suite asks of a proposal for one transform type.</summary>
/// <param name="Transform">The algorithm, with its key length where it has several.</param>
/// <param name="MayBeMissing">
/// A proposal without any transform of the type means the same: NONE (RFC 7296 §3.3.3), and 32-bit sequence numbers with peers older
/// than RFC 4306's extension.
/// </param>
internal readonly record struct WantedTransform(Transform Transform, bool MayBeMissing = false)
{
    /// <summary>Looks for one transform of each type in a proposal.</summary>
    /// <param name="wanted">One for each type that the suite knows of.</param>
    /// <param name="offered">The proposal's transforms: a peer's.</param>
    /// <returns>
    /// Those of the proposal that were wanted, in the order of <paramref name="wanted"/>; null if one is missing, or if the proposal has a
    /// type that is not wanted, for then it asks for more than the suite has (RFC 7296 §3.3.6).
    /// </returns>
    public static IReadOnlyList<Transform>? Match(ReadOnlySpan<WantedTransform> wanted, IReadOnlyList<Transform> offered)
    {
        List<Transform> chosen = new(wanted.Length);
        int known = 0;
        foreach (WantedTransform want in wanted)
        {
            int ofType = offered.Count(t => t.Type == want.Transform.Type);
            known += ofType;
            // Equality takes the key length in, and a transform with attributes that nobody knows equals none of ours.
            if (offered.Contains(want.Transform))
                chosen.Add(want.Transform);
            else if (ofType != 0 || !want.MayBeMissing)
                return null;
        }
        return known == offered.Count ? chosen : null;
    }
}
