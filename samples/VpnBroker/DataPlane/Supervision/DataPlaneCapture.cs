using CryptoPlane.Capture;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>A capture on some lcores: their taps are switched by messages, like everything that an lcore is told.</summary>
internal sealed class DataPlaneCapture : IDataPlaneCapture
{
    private readonly Supervisor _supervisor;
    private readonly List<(int Lcore, CaptureRing Ring)> _rings = [];
    private readonly Action _ended;
    private Task? _stopping;
    private bool _disposed;

    private DataPlaneCapture(Supervisor supervisor, Action ended)
    {
        _supervisor = supervisor;
        _ended = ended;
    }

    /// <inheritdoc/>
    public IReadOnlyList<(int Lcore, CaptureRing Ring)> Rings => _rings;

    /// <summary>Takes the memory and switches the taps on.</summary>
    /// <param name="supervisor">Who tells the lcores.</param>
    /// <param name="plan">What is captured.</param>
    /// <param name="ended">Called when no lcore captures any more, also when it could not begin.</param>
    /// <exception cref="InvalidOperationException">The data plane is stopping.</exception>
    /// <exception cref="OutOfMemoryException">There is no memory for the rings.</exception>
    public static async Task<DataPlaneCapture> StartAsync(Supervisor supervisor, CapturePlan plan, Action ended)
    {
        var capture = new DataPlaneCapture(supervisor, ended);
        try
        {
            var options = new CaptureRingOptions { Points = [.. plan.Points], Filter = plan.Filter, SnapLength = plan.SnapLength, SampleEvery = plan.SampleEvery };
            foreach (int lcore in plan.Lcores)
                capture._rings.Add((lcore, new CaptureRing(options)));
            await capture.SwitchAsync(on: true);
            return capture;
        }
        catch
        {
            await capture.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task StopAsync() => _stopping ??= StopOnceAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await StopAsync();
        foreach ((_, CaptureRing ring) in _rings)
            ring.Dispose();
        _rings.Clear();
        _ended();
    }

    private async Task StopOnceAsync()
    {
        try
        {
            await SwitchAsync(on: false);
        }
        catch (InvalidOperationException)
        {
            // The data plane has stopped, and its lcores before: nobody uses the rings.
        }
    }

    private async Task SwitchAsync(bool on) => await await _supervisor.CallAsync(
        () => Task.WhenAll(_rings.Select(entry => _supervisor.Capture(entry.Lcore, on ? entry.Ring.Address : 0))));
}
