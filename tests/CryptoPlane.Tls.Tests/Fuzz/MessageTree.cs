using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// A handshake message taken apart as its grammar says (RFC 8446 §4), so that a fuzzer can change one thing and leave the rest, the
/// lengths around it above all, as it must be.
/// </summary>
internal sealed class MessageTree
{
    private const int MaxGuessDepth = 4;

    private MessageTree(int lengthWidth, byte[] leaf, List<MessageTree>? children)
    {
        LengthWidth = lengthWidth;
        Leaf = leaf;
        Children = children;
    }

    /// <summary>Bytes of the length in front: 0 for none.</summary>
    public int LengthWidth { get; }

    /// <summary>By how much the length is wrong.</summary>
    public int Lie { get; set; }

    /// <summary>The content, where there are no children.</summary>
    public byte[] Leaf { get; set; }

    /// <summary>The content's parts.</summary>
    public List<MessageTree>? Children { get; }

    /// <summary>This and everything below.</summary>
    public IEnumerable<MessageTree> All => (Children ?? []).SelectMany(child => child.All).Prepend(this);

    /// <summary>Takes a message with its header apart. What does not follow the grammar stays a leaf.</summary>
    public static MessageTree Parse(byte[] message)
    {
        byte[] body = message[4..];
        List<MessageTree>? parts = (HandshakeType)message[0] switch
        {
            HandshakeType.ClientHello => Sequence(body, 2, 32, -1, -2, -1, Extensions),
            HandshakeType.ServerHello => Sequence(body, 2, 32, -1, 2, 1, Extensions),
            HandshakeType.EncryptedExtensions => Sequence(body, Extensions),
            HandshakeType.CertificateRequest => Sequence(body, -1, Extensions),
            HandshakeType.Certificate => Sequence(body, -1, CertificateEntries),
            HandshakeType.CertificateVerify => Sequence(body, 2, -2),
            HandshakeType.CompressedCertificate => Sequence(body, 2, 3, -3),
            HandshakeType.NewSessionTicket => Sequence(body, 4, 4, -1, -2, Extensions),
            _ => null,
        };
        MessageTree content = parts == null ? new MessageTree(3, body, null) : new MessageTree(3, [], parts);
        return new MessageTree(0, [], [LeafOf(message[..1]), content]);
    }

    public static MessageTree LeafOf(byte[] bytes) => new(0, bytes, null);

    public MessageTree Clone() => new(LengthWidth, [.. Leaf], Children?.ConvertAll(child => child.Clone())) { Lie = Lie };

    public byte[] ToArray()
    {
        byte[] content = Children == null ? Leaf : [.. Children.SelectMany(child => child.ToArray())];
        if (LengthWidth == 0)
            return content;
        int length = content.Length + Lie;
        byte[] prefix = new byte[LengthWidth];
        for (int i = 0; i < LengthWidth; i++)
            prefix[i] = (byte)(length >> (8 * (LengthWidth - 1 - i)));
        return [.. prefix, .. content];
    }

    // Parts of a sequence: so many bytes, a vector whose length has that width (negative), or one of these.
    private const int Extensions = 1000, CertificateEntries = 1001;

    private static List<MessageTree>? Sequence(ReadOnlySpan<byte> rest, params ReadOnlySpan<int> parts)
    {
        var nodes = new List<MessageTree>();
        foreach (int part in parts)
        {
            int width = part switch { Extensions => 2, CertificateEntries => 3, < 0 => -part, _ => 0 };
            int length = part;
            if (width != 0 && !TryReadLength(rest, width, out length))
                return null;
            if (rest.Length < width + length)
                return null;
            byte[] content = rest.Slice(width, length).ToArray();
            rest = rest[(width + length)..];
            List<MessageTree>? children = part switch
            {
                Extensions => Repeated(content, 2, -2),
                CertificateEntries => Repeated(content, -3, Extensions),
                -2 => Pairs(content),
                _ => null,
            };
            nodes.Add(new MessageTree(width, children == null ? content : [], children));
        }
        if (!rest.IsEmpty)
            nodes.Add(LeafOf(rest.ToArray()));
        return nodes;
    }

    /// <summary>A list of entries, each of two parts: the second of an extension is guessed at.</summary>
    private static List<MessageTree>? Repeated(ReadOnlySpan<byte> rest, int first, int second)
    {
        var entries = new List<MessageTree>();
        while (!rest.IsEmpty)
        {
            int firstWidth = Math.Max(0, -first);
            int firstLength = first;
            if (firstWidth != 0 && !TryReadLength(rest, firstWidth, out firstLength))
                return null;
            int head = firstWidth + firstLength;
            if (rest.Length < head || !TryReadLength(rest[head..], 2, out int length) || rest.Length < head + 2 + length)
                return null;
            ReadOnlySpan<byte> body = rest.Slice(head + 2, length);
            List<MessageTree>? children = second == Extensions ? Repeated(body, 2, -2)
                : first == 2 && (ExtensionType)((rest[0] << 8) | rest[1]) == ExtensionType.PreSharedKey && OfferedKeys(body) is { } offered ? offered
                : Guess(body, 0);
            entries.Add(new MessageTree(0, [],
            [
                new MessageTree(firstWidth, rest.Slice(firstWidth, firstLength).ToArray(), null),
                new MessageTree(2, children == null ? body.ToArray() : [], children),
            ]));
            rest = rest[(head + 2 + length)..];
        }
        return entries;
    }

    /// <summary>A client's pre_shared_key (RFC 8446 §4.2.11): identities with their ages, and binders.</summary>
    private static List<MessageTree>? OfferedKeys(ReadOnlySpan<byte> body)
    {
        if (!TryReadLength(body, 2, out int length) || body.Length < 2 + length + 2 || !TryReadLength(body[(2 + length)..], 2, out int binders)
            || binders != body.Length - 2 - length - 2)
            return null;
        return [new MessageTree(2, [], Entries(body.Slice(2, length), 2, 4)), new MessageTree(2, [], Entries(body[(2 + length + 2)..], 1, 0))];
    }

    /// <summary>Vectors, each with some bytes behind it.</summary>
    private static List<MessageTree> Entries(ReadOnlySpan<byte> rest, int width, int tail)
    {
        var entries = new List<MessageTree>();
        while (TryReadLength(rest, width, out int length) && rest.Length >= width + length + tail)
        {
            entries.Add(new MessageTree(width, rest.Slice(width, length).ToArray(), null));
            if (tail != 0)
                entries.Add(LeafOf(rest.Slice(width + length, tail).ToArray()));
            rest = rest[(width + length + tail)..];
        }
        if (!rest.IsEmpty)
            entries.Add(LeafOf(rest.ToArray()));
        return entries;
    }

    /// <summary>Vectors inside an extension, which show by their lengths.</summary>
    private static List<MessageTree>? Guess(ReadOnlySpan<byte> body, int depth)
    {
        if (depth == MaxGuessDepth)
            return null;
        foreach (int width in new[] { 2, 1 })
        {
            if (!TryReadLength(body, width, out int length))
                continue;
            if (length == body.Length - width)
            {
                byte[] content = body[width..].ToArray();
                List<MessageTree>? children = Guess(content, depth + 1) ?? Pairs(content);
                return [new MessageTree(width, children == null ? content : [], children)];
            }
            // Several vectors behind each other, as in pre_shared_key; or a code point and a vector, as in key_share.
            if (length < body.Length - width && length > 0 && Guess(body[(width + length)..], depth + 1) is { } others)
                return [new MessageTree(width, body.Slice(width, length).ToArray(), null), .. others];
        }
        return body.Length > 4 && TryReadLength(body[2..], 2, out int share) && share == body.Length - 4
            ? [LeafOf(body[..2].ToArray()), new MessageTree(2, body[4..].ToArray(), null)]
            : null;
    }

    /// <summary>A list of code points, if it can be one.</summary>
    private static List<MessageTree>? Pairs(byte[] content) =>
        content.Length is > 0 and <= 64 && content.Length % 2 == 0 ? [.. content.Chunk(2).Select(LeafOf)] : null;

    private static bool TryReadLength(ReadOnlySpan<byte> bytes, int width, out int length)
    {
        length = 0;
        if (bytes.Length < width)
            return false;
        for (int i = 0; i < width; i++)
            length = (length << 8) | bytes[i];
        return true;
    }
}
