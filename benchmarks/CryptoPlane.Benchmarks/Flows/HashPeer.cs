using System.Globalization;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>DPDK's rte_hash: the program of benchmarks/native/rte_hash.</summary>
internal sealed class HashPeer : IDisposable
{
    private const string Program = "peer_rte_hash";

    private readonly PeerProgram _program;

    /// <summary>Starts it and has it fill its table.</summary>
    /// <param name="keyBytes">16 or 40.</param>
    /// <param name="flows">Flows in the table.</param>
    /// <param name="entries">What the table is made for.</param>
    /// <param name="hugePages">Whether its table is in huge pages.</param>
    /// <param name="cpu">The only CPU that it may use.</param>
    /// <exception cref="InvalidOperationException">It does not start.</exception>
    public HashPeer(int keyBytes, int flows, int entries, bool hugePages, int cpu)
    {
        _program = new PeerProgram(Program, cpu, MegabytesFor(entries), hugePages, "--", $"{keyBytes}", $"{flows}", $"{entries}");
        string[] words = _program.Answer();
        Name = NameOf(entries);
        IsReady = words[0] == "ready";
        TscGigahertz = long.Parse(words[1], CultureInfo.InvariantCulture) / 1e9;
        InstalledVersion = words[^1];
    }

    /// <summary>Whether it was built, which takes DPDK's headers.</summary>
    public static bool IsBuilt { get; } = PeerProgram.Find(Program) != null;

    /// <summary>DPDK's, once a peer has run.</summary>
    public static string? InstalledVersion { get; private set; }

    /// <summary>What it is called in figures.</summary>
    public string Name { get; }

    /// <summary>Whether all flows fit into its table.</summary>
    public bool IsReady { get; }

    /// <summary>Ticks of the time stamp counter per nanosecond.</summary>
    public double TscGigahertz { get; }

    /// <summary>What a table for so many entries is called.</summary>
    public static string NameOf(int entries) => $"rte_hash, {entries} entries";

    /// <summary>Memory that a table of so many entries needs at most.</summary>
    public static int MegabytesFor(int entries) => 64 + (entries / 8000);

    /// <summary>Looks up.</summary>
    /// <returns>Nanoseconds of CPU time per look-up of each sample.</returns>
    public IEnumerable<double> LookUp(int runs, int samples) =>
        Numbers(_program.Ask(string.Create(CultureInfo.InvariantCulture, $"lookup {runs} {samples}")));

    /// <summary>Removes all flows and adds them again: nanoseconds of CPU time per flow.</summary>
    public (double Drain, double Fill) Refill() => Numbers(_program.Ask("refill")).ToArray() is [double drain, double fill]
        ? (drain, fill)
        : throw new InvalidOperationException($"{Program} gives another answer than two figures.");

    public void Dispose() => _program.Dispose();

    private static IEnumerable<double> Numbers(string[] words) => words.Select(word => double.Parse(word, CultureInfo.InvariantCulture));
}
