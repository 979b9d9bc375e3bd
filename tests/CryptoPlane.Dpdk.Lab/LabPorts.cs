using System.Net.NetworkInformation;
using CryptoPlane.Buffers;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>Two Ethernet ports of one lcore, which is the program's only thread that touches them.</summary>
internal sealed unsafe class LabPorts : IDisposable
{
    private const int Packets = 4096, MaxFrame = 2048;

    private readonly EthPort _first, _second;

    public LabPorts(string first, string second)
    {
        Pool = new PacketPool(Packets, MaxFrame, headroom: 128, new DpdkPacketBlocks());
        _first = EthPort.Open(EthPort.Find(first), [Pool]);
        _second = EthPort.Open(EthPort.Find(second), [Pool]);
    }

    public PacketPool Pool { get; }

    public EthQueue First => _first.Queue(0);

    public EthQueue Second => _second.Queue(0);

    public PhysicalAddress FirstMac => _first.Info.Mac;

    public PhysicalAddress SecondMac => _second.Info.Mac;

    /// <summary>Such as "up down".</summary>
    public string Links => $"{Word(_first)} {Word(_second)}";

    /// <summary>Closes both. Every packet must be back in the pool then.</summary>
    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        int missing = Pool.Count - Pool.Available;
        Pool.Dispose();
        if (missing != 0)
            throw new LabFailure($"{missing} packets did not come back");
    }

    private static string Word(EthPort port) => port.Link.IsUp ? "up" : "down";
}
