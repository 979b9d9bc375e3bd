using CryptoPlane.Benchmarks;
using CryptoPlane.Benchmarks.Aead;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Benchmarks.Tls;

if (!BenchmarkOptions.TryParse(args, out BenchmarkOptions? options, out string message))
{
    Console.Error.WriteLine(message);
    return 2;
}
if (options.Help)
{
    Console.WriteLine(BenchmarkOptions.Usage);
    return 0;
}

var runner = new InterleavedRunner(options.Quick);
IEnumerable<BenchmarkResult> results = options.Suite == "aead" ? AeadSuite.Run(runner, options.Quick) : TlsSuite.Run(runner, options.Quick);
BenchmarkReport.Write([.. results], options.JsonFile);
return 0;
