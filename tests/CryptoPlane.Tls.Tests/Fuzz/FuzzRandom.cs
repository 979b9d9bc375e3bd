using System.Globalization;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// The decisions of a case. Each is drawn by its number out of a seed, so that a case can have another one's decisions up to some place and its own
/// from there on: "541" has all of seed 541; "541,120:7" those of seed 7 from number 120 on; "541,120:7,122:541" two of them.
/// </summary>
internal sealed class FuzzRandom : Random
{
    private readonly List<(int From, int Seed)> _parts;
    private int _part;

    public FuzzRandom(int seed) => _parts = [(0, seed)];

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public FuzzRandom(string text) => _parts = [.. $"0:{text}".Split(',').Select(part => part.Split(':')).Select(part => (Number(part[0]), Number(part[1])))];

    private FuzzRandom(List<(int From, int Seed)> parts) => _parts = parts;

    /// <summary>Decisions so far.</summary>
    public int Drawn { get; private set; }

    /// <summary>The case from its beginning, with others for some decisions.</summary>
    /// <param name="from">The first of them.</param>
    /// <param name="count">How many; 0 for all that follow.</param>
    /// <param name="seed">Where they come from.</param>
    public FuzzRandom With(int from, int count, int seed)
    {
        List<(int From, int Seed)> parts = [.. _parts.Where(part => part.From < from), (from, seed)];
        if (count != 0)
        {
            parts.Add((from + count, _parts.Last(part => part.From <= from + count).Seed));
            parts.AddRange(_parts.Where(part => part.From > from + count));
        }
        return new FuzzRandom(parts);
    }

    /// <summary>The same case once more.</summary>
    public FuzzRandom Again() => new(_parts);

    public override int Next() => (int)(Draw() >> 1);

    public override int Next(int maxValue) => (int)(((ulong)Draw() * (uint)maxValue) >> 32);

    public override int Next(int minValue, int maxValue) => minValue + Next(maxValue - minValue);

    public override void NextBytes(byte[] buffer) => NextBytes(buffer.AsSpan());

    /// <summary>One decision, however many bytes there are: else most places of a case would be in them.</summary>
    public override void NextBytes(Span<byte> buffer)
    {
        ulong first = Draw();
        for (int i = 0; i < buffer.Length; i++)
            buffer[i] = (byte)Mix((first << 32) + (uint)i);
    }

    public override string ToString() => string.Join(',', _parts.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.From}:{part.Seed}")))[2..];

    protected override double Sample() => Draw() / (double)(1UL << 32);

    private uint Draw()
    {
        while (_part + 1 < _parts.Count && _parts[_part + 1].From <= Drawn)
            _part++;
        return (uint)(Mix(((ulong)(uint)_parts[_part].Seed << 32) + (uint)Drawn++) >> 32);
    }

    /// <summary>SplitMix64's output function.</summary>
    private static ulong Mix(ulong value)
    {
        ulong z = (value + 1) * 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
