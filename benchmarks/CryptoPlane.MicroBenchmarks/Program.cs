using BenchmarkDotNet.Running;
using CryptoPlane.MicroBenchmarks;

BenchmarkSwitcher.FromAssembly(typeof(AeadBenchmarks).Assembly).Run(args);
