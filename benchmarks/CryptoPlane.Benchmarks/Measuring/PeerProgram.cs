using System.Diagnostics;

namespace CryptoPlane.Benchmarks.Measuring;

/// <summary>
/// A peer that is a program of benchmarks/native with an EAL of its own: it answers requests, a line each. Between them it waits for its
/// input and takes no CPU time, so that it can work by turns with us on one CPU.
/// </summary>
internal sealed class PeerProgram : IDisposable
{
    private readonly string _program;
    private readonly Process _process;
    private readonly Task<string> _errors;

    /// <summary>Starts it.</summary>
    /// <param name="name">The program.</param>
    /// <param name="cpu">The only CPU that it may use.</param>
    /// <param name="megabytes">Memory that it needs.</param>
    /// <param name="hugePages">Whether it takes huge pages.</param>
    /// <param name="arguments">Further arguments of the EAL, and the program's own behind "--".</param>
    public PeerProgram(string name, int cpu, int megabytes, bool hugePages, params string[] arguments)
    {
        _program = Find(name) ?? throw new InvalidOperationException($"{name} was not built.");
        string[] memory = hugePages ? ["--in-memory", "--iova-mode=va", "-m", "64"] : ["--no-huge", "--no-shconf", "-m", $"{megabytes}"];
        var start = new ProcessStartInfo(_program, ["--no-pci", "--no-telemetry", .. memory, "--lcores", $"0@{cpu}", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{_program} does not start.");
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Where eng/bench.sh has put a program that it built, which takes DPDK's headers; null if it has not.</summary>
    public static string? Find(string name)
    {
        string? folder = Environment.GetEnvironmentVariable("CRYPTOPLANE_BENCH_PEERS");
        string program = Path.Combine(folder ?? "", name);
        return folder != null && File.Exists(program) ? program : null;
    }

    /// <summary>Asks, and waits for the answer.</summary>
    public string[] Ask(string request)
    {
        _process.StandardInput.WriteLine(request);
        _process.StandardInput.Flush();
        return Answer();
    }

    /// <summary>The words of its next line.</summary>
    /// <exception cref="InvalidOperationException">It has ended; the text has what it wrote.</exception>
    public string[] Answer()
    {
        string? line = _process.StandardOutput.ReadLine();
        if (line != null)
            return line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        _process.WaitForExit();
        throw new InvalidOperationException($"{_program} ended with {_process.ExitCode}: {_errors.Result}");
    }

    public void Dispose()
    {
        // The end of its input ends it.
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
