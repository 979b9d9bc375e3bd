using System.Buffers.Binary;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Negotiation;

/// <summary>
/// The data of SA_RESOURCE_INFO (RFC 9611 §5.1): an identifier of the sender's resource that means something to the sender only. Ours is the
/// number of the lcore.
/// </summary>
internal static class SaResourceInfo
{
    /// <summary>Longest identifier of a peer that is shown; the RFC knows no limit.</summary>
    public const int MaxShown = 32;

    /// <summary>Says that a child SA is for one of our lcores.</summary>
    /// <param name="resource">The lcore, from 0; -1: for none in particular, which goes without an identifier.</param>
    public static NotifyPayload Create(int resource)
    {
        if (resource < 0)
            return new NotifyPayload(NotifyType.SaResourceInfo);
        byte[] data = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(data, resource);
        return new NotifyPayload(NotifyType.SaResourceInfo, data);
    }

    /// <summary>A peer's identifier for people: hexadecimal digits, cut to <see cref="MaxShown"/> bytes.</summary>
    public static string Describe(NotifyPayload notify)
    {
        ReadOnlySpan<byte> data = notify.Data;
        return data.Length <= MaxShown ? Convert.ToHexStringLower(data) : Convert.ToHexStringLower(data[..MaxShown]) + "…";
    }
}
