using System.Diagnostics;

namespace CryptoPlane.Benchmarks.Measuring;

/// <summary>Says on standard error what is being measured: one line that is redrawn on a terminal, a line per case elsewhere.</summary>
/// <param name="total">How many cases there will be.</param>
internal sealed class ProgressLine(int total)
{
    private const string EraseLine = "\r\e[K";

    private readonly Stopwatch _elapsed = Stopwatch.StartNew();
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private int _count;

    /// <summary>The next case begins.</summary>
    public void Next(string what)
    {
        string line = $"[{_elapsed.Elapsed.TotalSeconds,5:F1} s] {++_count}/{total} {what}";
        if (_isTerminal)
            Console.Error.Write(EraseLine + line);
        else
            Console.Error.WriteLine(line);
    }

    /// <summary>All is done: leaves the terminal's line empty.</summary>
    public void Finish()
    {
        if (_isTerminal)
            Console.Error.Write(EraseLine);
    }
}
