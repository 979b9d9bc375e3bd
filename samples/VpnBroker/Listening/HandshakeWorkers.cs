using CryptoPlane.Tls;

namespace VpnBroker.Listening;

/// <summary>Runs the public-key work of handshakes on a bounded number of threads, so that a flood of them leaves CPU for the rest.</summary>
internal sealed class HandshakeWorkers : IDisposable
{
    private readonly SemaphoreSlim _slots = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>Waits for a free thread and does the work there.</summary>
    public async ValueTask RunAsync(TlsPendingWork work, CancellationToken cancellation)
    {
        await _slots.WaitAsync(cancellation);
        try
        {
            await Task.Run(work.Execute, CancellationToken.None);
        }
        finally
        {
            _slots.Release();
        }
    }

    public void Dispose() => _slots.Dispose();
}
