using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Negotiation;

/// <summary>The transforms ADDKE1 to ADDKE7 of proposals (RFC 9370 §2.2.1).</summary>
internal static class AdditionalTransforms
{
    /// <summary>Those that a proposal has.</summary>
    public static IEnumerable<Transform> Offer(AdditionalKeyExchanges methods) =>
        Enumerable.Range(0, AdditionalKeyExchanges.MaxCount).Where(i => methods[i] != KeyExchangeMethod.None).Select(i => Of(methods, i));

    /// <summary>What a suite asks for: a method, or none, which a proposal says by NONE or by not naming the type.</summary>
    public static IEnumerable<WantedTransform> Wanted(AdditionalKeyExchanges methods) =>
        Enumerable.Range(0, AdditionalKeyExchanges.MaxCount).Select(i => new WantedTransform(Of(methods, i), MayBeMissing: methods[i] == KeyExchangeMethod.None));

    /// <summary>Whether a transform is one of them.</summary>
    public static bool Includes(TransformType type) => type is >= TransformType.AdditionalKeyExchange1 and <= TransformType.AdditionalKeyExchange7;

    private static Transform Of(AdditionalKeyExchanges methods, int index) => new(TransformType.AdditionalKeyExchange1 + (byte)index, (ushort)methods[index]);
}
