namespace CryptoPlane.Benchmarks.Measuring;

/// <summary>What the samples of one subject say: nanoseconds per operation.</summary>
/// <param name="Subject">Who was measured.</param>
/// <param name="Median">The figure.</param>
/// <param name="Fastest">The sample that nothing disturbed, if there was one.</param>
/// <param name="LowerQuartile">A quarter of the samples was faster.</param>
/// <param name="UpperQuartile">A quarter of the samples was slower.</param>
/// <param name="Samples">How many there were.</param>
internal sealed record Measurement(string Subject, double Median, double Fastest, double LowerQuartile, double UpperQuartile, int Samples)
{
    public static Measurement Of(string subject, IEnumerable<double> samples)
    {
        double[] sorted = [.. samples.Order()];
        return new Measurement(subject, sorted[sorted.Length / 2], sorted[0], sorted[sorted.Length / 4], sorted[sorted.Length * 3 / 4], sorted.Length);
    }
}
