using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>One way of working on packets, run after run, each with the next tunnels in their order.</summary>
internal abstract class EspSubject(string name, EspPackets packets) : IBenchmarkSubject
{
    private long _runs, _succeeded;

    public string Name => name;

    public int OperationsPerRun => EspPackets.Count;

    protected EspPackets Packets => packets;

    protected EspTunnels Tunnels => packets.Tunnels;

    /// <summary>The first packet's place in the stream of all packets.</summary>
    protected long Position { get; private set; }

    public bool Prepare()
    {
        packets.LastUser?.Settle();
        packets.LastUser = this;
        _runs++;
        Position += EspPackets.Count;
        Fill();
        return true;
    }

    public abstract void Run();

    public void Verify()
    {
        packets.LastUser?.Settle();
        packets.LastUser = null;
        if (_succeeded != _runs * EspPackets.Count)
            throw new InvalidOperationException($"{Name}: of {_runs * EspPackets.Count} packets {_succeeded} came out.");
    }

    public virtual void Dispose()
    {
    }

    /// <summary>Makes the packets that the next run uses up.</summary>
    protected abstract void Fill();

    private void Settle() => _succeeded += CountSucceeded();

    /// <summary>How many packets of the last run ended as they should. Not timed.</summary>
    protected abstract long CountSucceeded();
}
