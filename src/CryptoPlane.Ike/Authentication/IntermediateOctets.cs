using System.Buffers.Binary;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Authentication;

/// <summary>
/// What of a message of IKE_INTERMEDIATE the later AUTH covers (RFC 9242 §3.3.2): all before the body of the Encrypted payload, then the inner
/// payloads in the clear. The two lengths in it count no IV, padding and ICV; and a message that went in fragments is taken as if it had not.
/// </summary>
internal static class IntermediateOctets
{
    private const int NextPayloadOffset = 16, LengthOffset = 24;

    /// <summary>Of a message of ours.</summary>
    /// <param name="header">Its header.</param>
    /// <param name="payloads">The inner payloads.</param>
    public static byte[] Create(in IkeHeader header, IkeWriter payloads)
    {
        byte[] octets = EncryptedPayload.CreateMessage(header, payloads.FirstPayload, payloads.Length);
        payloads.Written.CopyTo(octets.AsSpan(EncryptedPayload.SkBodyOffset));
        return octets;
    }

    /// <summary>Of an authentic message of the peer.</summary>
    /// <param name="header">Its header.</param>
    /// <param name="message">The message, or the fragment of it that came last.</param>
    /// <param name="first">The first inner payload.</param>
    /// <param name="payloads">The inner payloads, without padding.</param>
    public static byte[] OfReceived(in IkeHeader header, ReadOnlySpan<byte> message, PayloadType first, ReadOnlySpan<byte> payloads)
    {
        EncryptedPayload.Find(header, message, out EncryptedPayload place);
        int bodyOffset = place.IsFragment ? EncryptedPayload.SkBodyOffset : place.BodyOffset;
        byte[] octets = new byte[bodyOffset + payloads.Length];
        message[..(place.IsFragment ? IkeHeader.Size : bodyOffset)].CopyTo(octets);
        if (place.IsFragment)
        {
            octets[NextPayloadOffset] = (byte)PayloadType.Encrypted;
            octets[IkeHeader.Size] = (byte)first;
        }
        BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(LengthOffset), (uint)octets.Length);
        // What came in fragments may be longer than a payload can say; whoever sends such a message finds that its AUTH is wrong.
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(bodyOffset - 2), unchecked((ushort)(PayloadView.HeaderSize + payloads.Length)));
        payloads.CopyTo(octets.AsSpan(bodyOffset));
        return octets;
    }
}
