namespace CryptoPlane.Tls.Tests.Malformed;

/// <summary>Ways to spoil bytes: every cut, every length field, and seeded random changes.</summary>
internal static class Mutations
{
    /// <summary>Every proper prefix.</summary>
    public static IEnumerable<byte[]> Truncations(byte[] good) => Enumerable.Range(0, good.Length).Select(length => good[..length]);

    /// <summary>
    /// At every place where a length field of one, two or three bytes could be, what a wrong one could say: nothing, one less, one more,
    /// the most. That the place is no length field does not matter.
    /// </summary>
    public static IEnumerable<byte[]> LengthFields(byte[] good)
    {
        for (int width = 1; width <= 3; width++)
        {
            int most = (1 << (8 * width)) - 1;
            for (int at = 0; at + width <= good.Length; at++)
            {
                int value = 0;
                for (int i = 0; i < width; i++)
                    value = (value << 8) | good[at + i];
                foreach (int wrong in new[] { 0, value - 1, value + 1, most, most - 1, good.Length, good.Length - at - width }.Distinct())
                {
                    if (wrong < 0 || wrong > most || wrong == value)
                        continue;
                    byte[] bad = [.. good];
                    for (int i = 0; i < width; i++)
                        bad[at + i] = (byte)(wrong >> (8 * (width - 1 - i)));
                    yield return bad;
                }
            }
        }
    }

    /// <summary>One to four changes: bits flipped, bytes set, inserted, taken out, doubled, moved, or the end cut off.</summary>
    public static byte[] Random(byte[] good, Random random)
    {
        var bytes = new List<byte>(good);
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            if (bytes.Count == 0)
                bytes.Add((byte)random.Next(256));
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 40), bytes.Count - at);
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] = random.Next(2) == 0 ? (byte)0 : (byte)255;
                    break;
                case 3:
                    bytes.InsertRange(at, Enumerable.Range(0, length).Select(_ => (byte)random.Next(256)));
                    break;
                case 4:
                    bytes.RemoveRange(at, length);
                    break;
                case 5:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                case 6:
                    List<byte> moved = bytes.GetRange(at, length);
                    bytes.RemoveRange(at, length);
                    bytes.InsertRange(random.Next(bytes.Count + 1), moved);
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Sets the 24-bit length of a handshake message to what is there, so that its body is looked at.</summary>
    public static byte[] WithRightLength(byte[] message)
    {
        if (message.Length < 4)
            return message;
        int body = message.Length - 4;
        message[1] = (byte)(body >> 16);
        message[2] = (byte)(body >> 8);
        message[3] = (byte)body;
        return message;
    }
}
