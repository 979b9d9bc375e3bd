using System.Diagnostics;
using System.Globalization;
using CryptoPlane.Dpdk;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>
/// DPDK's librte_ipsec over crypto_aesni_gcm: the program of benchmarks/native/librte_ipsec, with an EAL of its own. Between requests it
/// waits for its input and takes no CPU time, so that it can work by turns with us on one CPU.
/// </summary>
internal sealed class IpsecPeer : IDisposable
{
    private const string Device = "crypto_aesni_gcm0";

    private static readonly string? s_program = Find();

    private readonly Process _process;

    /// <summary>Starts it and has it make its SAs.</summary>
    /// <param name="opens">Whether it opens; else it seals.</param>
    /// <param name="sas">How many SAs.</param>
    /// <param name="cpu">The only CPU that it may use.</param>
    /// <exception cref="InvalidOperationException">It does not start.</exception>
    public IpsecPeer(bool opens, int sas, int cpu)
    {
        int megabytes = 96 + (sas * 3 / 1000);
        string[] memory = HugePages.Read().FreeMegabytes >= megabytes ? ["--in-memory", "--iova-mode=va", "-m", "64"] : ["--no-huge", "--no-shconf", "-m", $"{megabytes}"];
        var start = new ProcessStartInfo(
            s_program!, ["--no-pci", "--no-telemetry", .. memory, "--lcores", $"0@{cpu}", "--vdev", Device, "--", opens ? "open" : "seal", $"{sas}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{s_program} does not start.");
        Errors = _process.StandardError.ReadToEndAsync();
        string[] words = Answer();
        TscGigahertz = long.Parse(words[1], CultureInfo.InvariantCulture) / 1e9;
        InstalledVersion = words[^1];
    }

    /// <summary>Its ways to the device: through queues, and by a call.</summary>
    public static IReadOnlyList<string> Ways { get; } = ["lookaside", "cpu"];

    /// <summary>Whether it was built, which takes DPDK's headers.</summary>
    public static bool IsBuilt => s_program != null;

    /// <summary>Ticks of the time stamp counter per nanosecond.</summary>
    public double TscGigahertz { get; }

    /// <summary>DPDK's, once a peer has run.</summary>
    public static string? InstalledVersion { get; private set; }

    private Task<string> Errors { get; }

    /// <summary>Measures.</summary>
    /// <returns>Nanoseconds of CPU time per packet of each sample.</returns>
    /// <exception cref="InvalidOperationException">It has ended; the text has what it wrote.</exception>
    public IEnumerable<double> Measure(string way, EspCase work, int runs, int samples)
    {
        _process.StandardInput.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{way} {work.Bytes} {work.Burst} {runs} {samples}"));
        _process.StandardInput.Flush();
        return Answer().Select(word => double.Parse(word, CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        // The end of its input ends it.
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private string[] Answer()
    {
        string? line = _process.StandardOutput.ReadLine();
        if (line != null)
            return line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        _process.WaitForExit();
        throw new InvalidOperationException($"{s_program} ended with {_process.ExitCode}: {Errors.Result}");
    }

    private static string? Find()
    {
        string? folder = Environment.GetEnvironmentVariable("CRYPTOPLANE_BENCH_PEERS");
        string program = Path.Combine(folder ?? "", "peer_librte_ipsec");
        return folder != null && File.Exists(program) ? program : null;
    }
}
