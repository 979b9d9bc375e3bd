using CryptoPlane.Tls.Tests.Malformed;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>Changes to a message that know its structure: parts doubled, taken out, swapped, filled otherwise, lengths that lie.</summary>
internal static class MessageMutator
{
    private static readonly byte[][] s_points =
    [
        [0, 0], [0, 5], [0, 10], [0, 13], [0, 16], [0, 27], [0, 28], [0, 41], [0, 42], [0, 43], [0, 44], [0, 45], [0, 47], [0, 49], [0, 50], [0, 51],
        [0x0A, 0x0A], [0x13, 1], [0x13, 2], [0x13, 3], [3, 3], [3, 4], [4, 3], [8, 4], [8, 7], [0, 23], [0, 24], [0, 29], [0x11, 0xEC], [0xFF, 0xFF], [0xFF, 1],
    ];

    private static readonly int[] s_lies = [-2, -1, 1, 2, 3, 255, 256, 0x4000, 0xFFFF];

    /// <summary>Gives another message. It may be as good as the one before.</summary>
    public static byte[] Mutate(byte[] message, Random random)
    {
        if (message.Length < 4 || random.Next(6) == 0)
        {
            byte[] bytes = Mutations.Random(message, random);
            return random.Next(2) == 0 ? Mutations.WithRightLength(bytes) : bytes;
        }
        MessageTree tree = MessageTree.Parse(message);
        for (int changes = 1 + random.Next(3); changes > 0; changes--)
            Change(tree, random);
        return tree.ToArray();
    }

    private static void Change(MessageTree tree, Random random)
    {
        MessageTree[] all = [.. tree.All];
        MessageTree node = all[random.Next(all.Length)];
        if (node.LengthWidth != 0 && random.Next(8) == 0)
            node.Lie = s_lies[random.Next(s_lies.Length)];
        else if (node.Children is { Count: > 0 } children)
            ChangeList(children, all, random);
        else
            node.Leaf = ChangeLeaf(node.Leaf, random);
    }

    private static void ChangeList(List<MessageTree> children, MessageTree[] all, Random random)
    {
        int at = random.Next(children.Count), other = random.Next(children.Count);
        switch (random.Next(7))
        {
            case 0:
                children.RemoveAt(at);
                break;
            case 1:
                children.Insert(other, children[at].Clone());
                break;
            case 2:
                (children[at], children[other]) = (children[other], children[at]);
                break;
            case 3:
                children.Insert(at, all[random.Next(all.Length)].Clone());
                break;
            case 4:
                children.Clear();
                break;
            case 5:
                // A flood of one part, within what a message can hold.
                int size = Math.Max(1, children[at].ToArray().Length);
                for (int count = random.Next(1, Math.Max(2, Math.Min(300, 12_000 / size))); count > 0; count--)
                    children.Add(children[at].Clone());
                break;
            default:
                children.Insert(at, MessageTree.LeafOf([.. s_points[random.Next(s_points.Length)], .. random.Next(2) == 0 ? new byte[2] : []]));
                break;
        }
    }

    private static byte[] ChangeLeaf(byte[] leaf, Random random)
    {
        byte[] filled = new byte[random.Next(random.Next(4) == 0 ? 2_000 : 70)];
        switch (random.Next(7))
        {
            case 0:
                return [];
            case 1:
                random.NextBytes(filled);
                return filled;
            case 2:
                Array.Fill(filled, random.Next(2) == 0 ? (byte)0 : (byte)0xFF);
                return filled;
            case 3:
                return s_points[random.Next(s_points.Length)];
            case 4 when leaf.Length > 0:
                return leaf[..random.Next(leaf.Length)];
            case 5:
                return [.. leaf, .. filled.AsSpan(0, Math.Min(3, filled.Length))];
            default:
                byte[] flipped = [.. leaf];
                if (flipped.Length > 0)
                    flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
                return flipped;
        }
    }
}
