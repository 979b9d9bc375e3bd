using System.Buffers.Binary;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Malformed;

/// <summary>
/// Spoils a chain of payloads where parsers could believe too much: payloads are taken out, doubled, exchanged and given other types, and
/// within them the places of lengths, counts and types get values that lie; the lengths around are right, so that the lie is reached, or
/// in some cases wrong as well.
/// </summary>
internal sealed class ChainMutator(int seed)
{
    private static readonly byte[] s_types = [.. Enumerable.Range(33, 16).Select(i => (byte)i), 53, 54, 1, 200];

    private readonly Random _random = new(seed);

    /// <summary>One spoilt chain.</summary>
    public (PayloadType First, byte[] Chain) Mutate((PayloadType First, byte[] Chain) good)
    {
        List<Payload> payloads = Split(good);
        for (int changes = _random.Next(1, 4); changes > 0 && payloads.Count != 0; changes--)
            ChangeOne(payloads);
        (PayloadType First, byte[] Chain) joined = Join(payloads);
        // Now and then the outer frame lies too.
        if (_random.Next(8) == 0 && joined.Chain.Length != 0)
            joined.Chain[_random.Next(joined.Chain.Length)] = (byte)_random.Next(256);
        return _random.Next(16) == 0 ? (joined.First, joined.Chain[..^_random.Next(joined.Chain.Length + 1)]) : joined;
    }

    private void ChangeOne(List<Payload> payloads)
    {
        int at = _random.Next(payloads.Count);
        Payload payload = payloads[at];
        switch (_random.Next(12))
        {
            case 0:
                payloads.RemoveAt(at);
                break;
            case 1:
                payloads.Insert(_random.Next(payloads.Count + 1), payload);
                break;
            case 2:
                payloads.RemoveAt(at);
                payloads.Insert(_random.Next(payloads.Count + 1), payload);
                break;
            case 3:
                payloads[at] = payload with { Type = s_types[_random.Next(s_types.Length)] };
                break;
            case 4:
                payloads[at] = payload with { Flags = 0x80 };
                break;
            case 5:
                for (int copies = _random.Next(150); copies > 0; copies--)
                    payloads.Insert(at, payload);
                break;
            default:
                payloads[at] = payload with { Body = ChangeBody(payload.Body) };
                break;
        }
    }

    private byte[] ChangeBody(byte[] body)
    {
        List<byte> bytes = [.. body];
        int at = bytes.Count == 0 ? 0 : _random.Next(bytes.Count);
        int length = Math.Min(_random.Next(1, 32), bytes.Count - at);
        switch (_random.Next(7))
        {
            // A field of one or two bytes says nothing, one less, one more, the most, or what is left.
            case 0 when bytes.Count != 0:
                bytes[at] = (byte)Lie(bytes[at], byte.MaxValue, bytes.Count - at);
                break;
            case 1 or 2 when at + 1 < bytes.Count:
                int lie16 = Lie((bytes[at] << 8) | bytes[at + 1], ushort.MaxValue, bytes.Count - at);
                (bytes[at], bytes[at + 1]) = ((byte)(lie16 >> 8), (byte)lie16);
                break;
            case 3:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 4:
                bytes.RemoveRange(at, length);
                break;
            case 5:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            default:
                byte[] noise = new byte[_random.Next(1, 64)];
                _random.NextBytes(noise);
                bytes.InsertRange(at, noise);
                break;
        }
        return [.. bytes];
    }

    private int Lie(int value, int most, int left) => _random.Next(7) switch
    {
        0 => 0,
        1 => value - 1 & most,
        2 => value + 1 & most,
        3 => most,
        4 => left & most,
        5 => value ^ (1 << _random.Next(8)),
        _ => _random.Next(most + 1),
    };

    private static List<Payload> Split((PayloadType First, byte[] Chain) good)
    {
        List<Payload> payloads = [];
        PayloadWalk walk = new(good.First, good.Chain);
        while (walk.TryRead(out PayloadView view))
            payloads.Add(new Payload((byte)view.Type, 0, view.Body.ToArray()));
        Assert.Equal(IkeParseError.None, walk.Error);
        return payloads;
    }

    private static (PayloadType First, byte[] Chain) Join(List<Payload> payloads)
    {
        byte[] chain = new byte[payloads.Sum(p => p.Body.Length + PayloadView.HeaderSize)];
        int at = 0;
        for (int i = 0; i < payloads.Count; i++)
        {
            Payload payload = payloads[i];
            chain[at] = i + 1 < payloads.Count ? payloads[i + 1].Type : (byte)0;
            chain[at + 1] = payload.Flags;
            BinaryPrimitives.WriteUInt16BigEndian(chain.AsSpan(at + 2), (ushort)(payload.Body.Length + PayloadView.HeaderSize));
            payload.Body.CopyTo(chain, at + PayloadView.HeaderSize);
            at += payload.Body.Length + PayloadView.HeaderSize;
        }
        return (payloads.Count == 0 ? PayloadType.None : (PayloadType)payloads[0].Type, chain);
    }

    private sealed record Payload(byte Type, byte Flags, byte[] Body);
}
