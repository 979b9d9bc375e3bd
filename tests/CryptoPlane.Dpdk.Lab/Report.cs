using System.Diagnostics;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>A line of standard output now and then, only where it differs from the one before.</summary>
internal sealed class Report(Func<string> line)
{
    private long _next;
    private string _last = "";

    public void Tick(long now)
    {
        if (now < _next)
            return;
        _next = now + (Stopwatch.Frequency / 10);
        Write();
    }

    public void Write()
    {
        string text = line();
        if (text != _last)
            Console.WriteLine(text);
        _last = text;
    }
}
