using CryptoPlane.Dpdk;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>Lcores with the same tunnels and bursts, one on each wire.</summary>
internal sealed class SwitchBeds : IDisposable
{
    private const int WireCapacity = 512;

    /// <param name="tunnels">Tunnels on either side.</param>
    /// <param name="burst">Packets of a turn.</param>
    /// <param name="hasRings">Whether there is DPDK's wire.</param>
    public SwitchBeds(int tunnels, int burst, bool hasRings)
    {
        var memory = new SwitchBed(tunnels, null, _ => new MemoryWire(WireCapacity, burst));
        All = hasRings ? [memory, new SwitchBed(tunnels, new DpdkPacketBlocks(), pool => new RingWire(pool, burst))] : [memory];
    }

    public IReadOnlyList<SwitchBed> All { get; }

    public void Dispose()
    {
        foreach (SwitchBed bed in All)
            bed.Dispose();
    }
}
