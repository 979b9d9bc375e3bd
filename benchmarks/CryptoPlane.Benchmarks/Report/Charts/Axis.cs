using System.Globalization;

namespace CryptoPlane.Benchmarks.Report.Charts;

/// <summary>Maps values to a stretch of pixels, and says where its marks are.</summary>
internal sealed class Axis
{
    private readonly Func<double, double> _scale;
    private readonly double _low, _high;

    private Axis(Func<double, double> scale, double low, double high, IReadOnlyList<double> marks)
    {
        _scale = scale;
        _low = scale(low);
        _high = scale(high);
        Marks = marks;
    }

    /// <summary>Values that get a line and a number.</summary>
    public IReadOnlyList<double> Marks { get; }

    /// <summary>Powers of two, with a mark at every value that was measured.</summary>
    public static Axis Log2(IEnumerable<double> values)
    {
        double[] marks = [.. values.Distinct().Order()];
        return new Axis(Math.Log2, marks[0], marks.Length > 1 ? marks[^1] : marks[0] * 2, marks);
    }

    /// <summary>Powers of ten that enclose the values, with marks at 1, 2 and 5 of each.</summary>
    public static Axis Log10(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        double[] candidates = [.. Enumerable.Range(-2, 10).SelectMany(power => new[] { 1, 2, 5 }.Select(digit => digit * Math.Pow(10, power)))];
        double low = candidates.Last(mark => mark <= sorted[0]), high = candidates.First(mark => mark >= sorted[^1]);
        return new Axis(Math.Log10, low, high == low ? low * 10 : high, [.. candidates.Where(mark => mark >= low && mark <= high)]);
    }

    /// <summary>From 0 to above the greatest value, with about six round marks.</summary>
    public static Axis FromZero(IEnumerable<double> values)
    {
        double greatest = values.Max();
        double rough = greatest / 6, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = new[] { 1, 2, 2.5, 5, 10 }.Select(digit => digit * power).First(candidate => candidate >= rough);
        int steps = (int)Math.Ceiling(greatest / step);
        return new Axis(value => value, 0, steps * step, [.. Enumerable.Range(0, steps + 1).Select(i => i * step)]);
    }

    /// <summary>Where a value lies, from 0 to 1.</summary>
    public double Position(double value) => (_scale(value) - _low) / (_high - _low);

    public static string Label(double mark) => mark.ToString(mark >= 1000 ? "N0" : "0.###", CultureInfo.InvariantCulture);
}
