using System.Diagnostics;
using System.Globalization;

namespace CryptoPlane.Benchmarks.Devices;

/// <summary>DPDK's own dpdk-test-crypto-perf: a process of its own with an EAL of its own, and the same driver on the same CPU.</summary>
/// <param name="memory">The EAL's arguments about memory, the same as ours.</param>
/// <param name="mainCpu">Where its main thread waits, spinning.</param>
/// <param name="workerCpu">Where it works: where we do, when it does not.</param>
internal sealed class CryptoPerf(IReadOnlyList<string> memory, int mainCpu, int workerCpu)
{
    public const string Program = "dpdk-test-crypto-perf";

    /// <summary>Its figures are cycles of the time stamp counter, beside operations per second.</summary>
    private const int OperationsColumn = 3, MegaOperationsColumn = 7, Columns = 10;

    // The pool keeps 512 buffers in its cache, and has as many as one lcore needs besides.
    private const int PoolSize = 4096;

    /// <summary>Whether it is installed.</summary>
    public static bool IsInstalled =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, Program)));

    /// <summary>One process that measures a case several times.</summary>
    /// <param name="work">The case.</param>
    /// <param name="operations">Operations of a sample.</param>
    /// <param name="samples">How often.</param>
    /// <returns>Nanoseconds per operation of each sample.</returns>
    /// <exception cref="InvalidOperationException">The program fails, or says something else.</exception>
    public double[] Measure(CryptodevCase work, int operations, int samples)
    {
        var start = new ProcessStartInfo(Program, Arguments(work, operations, samples)) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} does not start.");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        double[] figures = [.. output.Split('\n').Select(line => line.Split(',')).Where(cells => cells.Length == Columns && char.IsAsciiDigit(cells[0][0]))
            .Select(cells => Nanoseconds(cells, operations))];
        if (process.ExitCode != 0 || figures.Length != samples)
            throw new InvalidOperationException($"{Program} {string.Join(' ', start.ArgumentList)} ended with {process.ExitCode} and {figures.Length} figures: {output}{errors.Result}");
        return figures;
    }

    public IEnumerable<string> Arguments(CryptodevCase work, int operations, int samples) =>
    [
        "--no-pci", "--no-telemetry", "--iova-mode=va", .. memory, "--lcores", $"0@{mainCpu},1@{workerCpu}", "--vdev", work.Device, "--",
        "--devtype", work.Driver, "--ptest", "throughput", "--optype", "aead", "--aead-algo", "aes-gcm", "--aead-op", "encrypt",
        "--aead-key-sz", "16", "--aead-iv-sz", "12", "--aead-aad-sz", $"{CryptodevCase.AadLength}", "--digest-sz", "16",
        "--buffer-sz", string.Join(',', Enumerable.Repeat(work.Bytes, samples)), "--burst-sz", $"{CryptodevCase.Burst}",
        "--total-ops", $"{operations}", "--pool-sz", $"{PoolSize}", "--silent", "--csv-friendly",
    ];

    private static double Nanoseconds(string[] cells, int operations)
    {
        if (int.Parse(cells[OperationsColumn], CultureInfo.InvariantCulture) != operations)
            throw new InvalidOperationException($"{Program} did {cells[OperationsColumn]} operations, not {operations}.");
        return 1e3 / double.Parse(cells[MegaOperationsColumn], CultureInfo.InvariantCulture);
    }
}
