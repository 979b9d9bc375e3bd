using System.Buffers.Binary;

namespace CryptoPlane.Ike.Wire;

/// <summary>
/// Where the Encrypted payload of a message lies: SK (RFC 7296 §3.14), or SKF, which is one fragment of a message (RFC 7383 §2.5). The
/// payload's body (IV, ciphertext, ICV) reaches to the message's end; all before it is associated data (RFC 5282 §5.1, RFC 7383 §2.5).
/// </summary>
/// <param name="FirstInner">The first payload within; in fragments after the first, none.</param>
/// <param name="BodyOffset">Where the body begins, in bytes from the start of the message.</param>
/// <param name="FragmentNumber">From 1; 0 in an SK payload.</param>
/// <param name="TotalFragments">At least the fragment's number; 0 in an SK payload.</param>
internal readonly record struct EncryptedPayload(PayloadType FirstInner, int BodyOffset, ushort FragmentNumber, ushort TotalFragments)
{
    /// <summary>Bytes before the body of an SK payload that is all of a message.</summary>
    public const int SkBodyOffset = IkeHeader.Size + PayloadView.HeaderSize;

    /// <summary>Bytes before the body of an SKF payload that is all of a message.</summary>
    public const int SkfBodyOffset = SkBodyOffset + FragmentHeaderSize;

    private const int FragmentHeaderSize = 4;

    /// <summary>The message is one of several fragments, or the only one.</summary>
    public bool IsFragment => FragmentNumber != 0;

    /// <summary>
    /// Finds the Encrypted payload of a whole message. Payloads before it are skipped: they are not authentic on their own.
    /// </summary>
    /// <param name="header">The message's header.</param>
    /// <param name="message">The message, header included.</param>
    /// <param name="payload">Where it lies. The body is not empty, and has any length.</param>
    public static IkeParseError Find(in IkeHeader header, ReadOnlySpan<byte> message, out EncryptedPayload payload)
    {
        payload = default;
        PayloadWalk walk = new(header.NextPayload, message[IkeHeader.Size..]);
        while (walk.TryRead(out PayloadView view))
        {
            if (view.Type is not (PayloadType.Encrypted or PayloadType.EncryptedFragment))
                continue;
            int bodyOffset = IkeHeader.Size + view.Offset + PayloadView.HeaderSize;
            ushort number = 0, total = 0;
            if (view.Type == PayloadType.EncryptedFragment)
            {
                IkeReader reader = new(view.Body);
                // RFC 7383 §2.6: numbers start with 1, and none is above the total.
                if (!reader.TryReadUInt16(out number) || !reader.TryReadUInt16(out total) || number == 0 || number > total)
                    return IkeParseError.BadFragment;
                bodyOffset += FragmentHeaderSize;
            }
            if (bodyOffset == message.Length)
                return IkeParseError.BadEncryptedPayload;
            payload = new EncryptedPayload(view.NextPayload, bodyOffset, number, total);
            return IkeParseError.None;
        }
        return walk.Error == IkeParseError.None ? IkeParseError.BadEncryptedPayload : walk.Error;
    }

    /// <summary>
    /// Makes a message that is one SK payload, whose body (the bytes from <see cref="SkBodyOffset"/>) is to be filled in by sealing.
    /// </summary>
    /// <param name="header">The message's header.</param>
    /// <param name="firstInner">The first payload within.</param>
    /// <param name="bodyLength">Bytes of IV, ciphertext and ICV.</param>
    public static byte[] CreateMessage(in IkeHeader header, PayloadType firstInner, int bodyLength)
    {
        byte[] message = new byte[SkBodyOffset + bodyLength];
        WriteHeaders(header, PayloadType.Encrypted, firstInner, message);
        return message;
    }

    /// <summary>
    /// Makes a message that is one SKF payload, whose body (the bytes from <see cref="SkfBodyOffset"/>) is to be filled in by sealing.
    /// </summary>
    /// <param name="header">The message's header.</param>
    /// <param name="firstInner">The first payload within the whole message; written in the first fragment only (RFC 7383 §2.5).</param>
    /// <param name="number">Number of the fragment, from 1.</param>
    /// <param name="total">Number of fragments.</param>
    /// <param name="bodyLength">Bytes of IV, ciphertext and ICV.</param>
    public static byte[] CreateFragment(in IkeHeader header, PayloadType firstInner, int number, int total, int bodyLength)
    {
        byte[] message = new byte[SkfBodyOffset + bodyLength];
        WriteHeaders(header, PayloadType.EncryptedFragment, number == 1 ? firstInner : PayloadType.None, message);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(SkBodyOffset), checked((ushort)number));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(SkBodyOffset + 2), checked((ushort)total));
        return message;
    }

    private static void WriteHeaders(in IkeHeader header, PayloadType type, PayloadType firstInner, byte[] message)
    {
        (header with { NextPayload = type }).Write(message, message.Length);
        message[IkeHeader.Size] = (byte)firstInner;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(IkeHeader.Size + 2), checked((ushort)(message.Length - IkeHeader.Size)));
    }
}
