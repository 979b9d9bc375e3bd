using CryptoPlane.Lcores;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>Stands for a worker that is made after its lcore, because it needs the lcore's waker.</summary>
internal sealed class WorkerRelay : ILcoreWorker
{
    /// <summary>The worker; set before the lcore starts.</summary>
    public ILcoreWorker Worker { get; set; } = null!;

    /// <inheritdoc/>
    public bool HasPendingWork => Worker.HasPendingWork;

    /// <inheritdoc/>
    public long NextDeadline => Worker.NextDeadline;

    /// <inheritdoc/>
    public void Start(Lcore lcore) => Worker.Start(lcore);

    /// <inheritdoc/>
    public int Poll(long now) => Worker.Poll(now);

    /// <inheritdoc/>
    public void WaitForEvents(int timeoutMilliseconds) => Worker.WaitForEvents(timeoutMilliseconds);

    /// <inheritdoc/>
    public void Stop() => Worker.Stop();
}
