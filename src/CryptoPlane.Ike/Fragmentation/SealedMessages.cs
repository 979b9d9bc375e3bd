using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Fragmentation;

/// <summary>
/// Messages under the keys of an IKE SA, whole or in fragments: what is written is sealed, and what is read is believed only after its
/// own ICV (RFC 7296 §3.14, RFC 7383).
/// </summary>
internal static class SealedMessages
{
    /// <summary>Seals payloads into one message, or into fragments where one would be too long.</summary>
    /// <param name="protection">The keys.</param>
    /// <param name="header">The header; every fragment has it, with its own length (RFC 7383 §2.5).</param>
    /// <param name="payloads">The payloads to go inside, written without a header.</param>
    /// <param name="maximumBytes">
    /// Longest message in bytes (<see cref="FragmentSize.MessageBytes"/>); <see cref="int.MaxValue"/> for a peer that takes no
    /// fragments.
    /// </param>
    /// <returns>The messages in the order to send them; to be repeated as they are.</returns>
    public static IReadOnlyList<byte[]> Seal(SkProtection protection, in IkeHeader header, IkeWriter payloads, int maximumBytes)
    {
        ReadOnlySpan<byte> text = payloads.Written;
        if (EncryptedPayload.SkBodyOffset + SkProtection.Overhead + (long)text.Length <= maximumBytes)
        {
            byte[] message = EncryptedPayload.CreateMessage(header, payloads.FirstPayload, text.Length + SkProtection.Overhead);
            SealBody(protection, message, EncryptedPayload.SkBodyOffset, text);
            return [message];
        }
        int perFragment = maximumBytes - EncryptedPayload.SkfBodyOffset - SkProtection.Overhead;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perFragment, nameof(maximumBytes));
        int total = (text.Length + perFragment - 1) / perFragment;
        byte[][] fragments = new byte[total][];
        for (int i = 0; i < total; i++)
        {
            ReadOnlySpan<byte> part = text.Slice(i * perFragment, Math.Min(perFragment, text.Length - (i * perFragment)));
            int bodyLength = part.Length + SkProtection.Overhead;
            fragments[i] = EncryptedPayload.CreateFragment(header, payloads.FirstPayload, i + 1, total, bodyLength);
            SealBody(protection, fragments[i], EncryptedPayload.SkfBodyOffset, part);
        }
        return fragments;
    }

    /// <summary>Opens a message, or takes a fragment of one.</summary>
    /// <param name="protection">The keys.</param>
    /// <param name="reassembler">Keeps fragments; null where fragmentation was not negotiated, and fragments are malformed.</param>
    /// <param name="header">The message's header, whose message ID is the one that is awaited.</param>
    /// <param name="message">The message with its header.</param>
    /// <param name="now">The time.</param>
    /// <param name="first">The first payload within.</param>
    /// <param name="payloads">The payloads within; empty unless the result is <see cref="OpenStatus.Opened"/>.</param>
    public static OpenStatus Open(
        SkProtection protection, FragmentReassembler? reassembler, in IkeHeader header, ReadOnlySpan<byte> message, long now,
        out PayloadType first, out byte[] payloads)
    {
        first = PayloadType.None;
        payloads = [];
        if (EncryptedPayload.Find(header, message, out EncryptedPayload place) != IkeParseError.None
            || (place.IsFragment && reassembler is null))
            return OpenStatus.Malformed;
        if (place.IsFragment && reassembler!.Check(header.MessageId, place) is not FragmentStatus.Stored and FragmentStatus refused)
            return ToOpenStatus(refused);
        if (!protection.TryOpen(message[..place.BodyOffset], message[place.BodyOffset..], out byte[] text))
            return OpenStatus.NotAuthentic;
        if (!place.IsFragment)
        {
            // RFC 7383 §2.6: the message came whole after all, so its fragments are needed no more.
            reassembler?.Clear();
            (first, payloads) = (place.FirstInner, text);
            return OpenStatus.Opened;
        }
        return ToOpenStatus(reassembler!.Add(header.MessageId, place, text, now, out first, out payloads));
    }

    /// <summary>
    /// Whether a datagram is a request that has been answered, come again, so that its answer is due again. RFC 7383 §2.6.1: of a request in fragments
    /// that is the first one alone, so that the answer goes out once, and goes out though others of them are lost.
    /// </summary>
    /// <param name="protection">The keys that it came under.</param>
    /// <param name="takesFragments">Whether fragmentation was negotiated.</param>
    /// <param name="header">The message's header, whose message ID is that of the request answered last.</param>
    /// <param name="message">The message with its header.</param>
    public static bool IsRepeat(SkProtection protection, bool takesFragments, in IkeHeader header, ReadOnlySpan<byte> message) =>
        EncryptedPayload.Find(header, message, out EncryptedPayload place) == IkeParseError.None
        && (!place.IsFragment || (takesFragments && place.FragmentNumber == 1))
        && protection.TryOpen(message[..place.BodyOffset], message[place.BodyOffset..], out _);

    private static void SealBody(SkProtection protection, byte[] message, int bodyOffset, ReadOnlySpan<byte> text) =>
        protection.Seal(message.AsSpan(0, bodyOffset), text, message.AsSpan(bodyOffset));

    private static OpenStatus ToOpenStatus(FragmentStatus status) => status switch
    {
        FragmentStatus.Stored => OpenStatus.Incomplete,
        FragmentStatus.Complete => OpenStatus.Opened,
        FragmentStatus.Duplicate or FragmentStatus.Outdated => OpenStatus.Duplicate,
        FragmentStatus.TooLarge => OpenStatus.TooLarge,
        _ => OpenStatus.Malformed,
    };
}
