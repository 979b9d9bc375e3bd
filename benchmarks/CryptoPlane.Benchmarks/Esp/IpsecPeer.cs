using System.Globalization;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Dpdk;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>DPDK's librte_ipsec over crypto_aesni_gcm: the program of benchmarks/native/librte_ipsec.</summary>
internal sealed class IpsecPeer : IDisposable
{
    private const string Program = "peer_librte_ipsec";
    private const string Device = "crypto_aesni_gcm0";

    private readonly PeerProgram _program;

    /// <summary>Starts it and has it make its SAs.</summary>
    /// <param name="opens">Whether it opens; else it seals.</param>
    /// <param name="sas">How many SAs.</param>
    /// <param name="cpu">The only CPU that it may use.</param>
    /// <exception cref="InvalidOperationException">It does not start.</exception>
    public IpsecPeer(bool opens, int sas, int cpu)
    {
        int megabytes = 96 + (sas * 3 / 1000);
        _program = new PeerProgram(Program, cpu, megabytes, HugePages.Read().FreeMegabytes >= megabytes, "--vdev", Device, "--", opens ? "open" : "seal", $"{sas}");
        string[] words = _program.Answer();
        TscGigahertz = long.Parse(words[1], CultureInfo.InvariantCulture) / 1e9;
        InstalledVersion = words[^1];
    }

    /// <summary>Its ways to the device: through queues, and by a call.</summary>
    public static IReadOnlyList<string> Ways { get; } = ["lookaside", "cpu"];

    /// <summary>Whether it was built, which takes DPDK's headers.</summary>
    public static bool IsBuilt { get; } = PeerProgram.Find(Program) != null;

    /// <summary>Ticks of the time stamp counter per nanosecond.</summary>
    public double TscGigahertz { get; }

    /// <summary>DPDK's, once a peer has run.</summary>
    public static string? InstalledVersion { get; private set; }

    /// <summary>Measures.</summary>
    /// <returns>Nanoseconds of CPU time per packet of each sample.</returns>
    /// <exception cref="InvalidOperationException">It has ended; the text has what it wrote.</exception>
    public IEnumerable<double> Measure(string way, EspCase work, int runs, int samples) =>
        _program.Ask(string.Create(CultureInfo.InvariantCulture, $"{way} {work.Bytes} {work.Burst} {runs} {samples}"))
            .Select(word => double.Parse(word, CultureInfo.InvariantCulture));

    public void Dispose() => _program.Dispose();
}
