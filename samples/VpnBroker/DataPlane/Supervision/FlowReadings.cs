using System.Runtime.InteropServices;
using CryptoPlane.Lcores;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>Reads the lcores' sessions on control threads, one reading at a time.</summary>
internal sealed class FlowReadings(IReadOnlyList<LcoreUnit> units, Supervisor supervisor) : IDisposable
{
    private const int Batch = 256;

    /// <summary>An lcore that gives nothing for so long has stopped, or is stuck.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _one = new(1);
    private int _reading;
    private volatile bool _closed;

    /// <summary>Shows every session that a filter takes, lcore after lcore.</summary>
    /// <exception cref="InvalidOperationException">The data plane has stopped.</exception>
    public async Task ReadAsync(FlowFilter filter, Action<FlowView> take)
    {
        await _one.WaitAsync();
        try
        {
            ThrowIfClosed();
            foreach (LcoreUnit unit in units)
            {
                if (unit.Context.Flows is { } flows)
                    await ReadAsync(unit, flows.Reader.Ring, filter, take);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Lets the reading that is under way end, before what it reads is freed; there are no more.</summary>
    public void Dispose()
    {
        _closed = true;
        _one.Wait();
        _one.Release();
    }

    private void ThrowIfClosed()
    {
        if (_closed)
            throw new InvalidOperationException("The data plane has stopped: there are no sessions any more.");
    }

    private async Task ReadAsync(LcoreUnit unit, SpscRing<FlowView> ring, FlowFilter filter, Action<FlowView> take)
    {
        int reading = _reading = _reading == int.MaxValue ? 1 : _reading + 1;
        nint copy = Copy(filter);
        await await supervisor.CallAsync(() => supervisor.ReadFlows(unit, copy, reading));
        var batch = new FlowView[Batch];
        DateTime last = DateTime.UtcNow;
        while (true)
        {
            ThrowIfClosed();
            int count = ring.Dequeue(batch);
            for (int i = 0; i < count; i++)
            {
                // What an earlier reading, given up, has left.
                if (batch[i].Reading != reading)
                    continue;
                if (batch[i].Key.Kind == CryptoPlane.Flows.Sessions.SessionKeyKind.None)
                    return;
                take(batch[i]);
            }
            if (count > 0)
                last = DateTime.UtcNow;
            else if (DateTime.UtcNow - last > s_patience)
                throw new InvalidOperationException($"Lcore {unit.Context.Index} does not answer: the data plane is stopping.");
            else
                await Task.Delay(1);
        }
    }

    private static unsafe nint Copy(in FlowFilter filter)
    {
        var copy = (FlowFilter*)NativeMemory.Alloc((nuint)sizeof(FlowFilter));
        *copy = filter;
        return (nint)copy;
    }
}
