using CryptoPlane.Buffers;
using CryptoPlane.Ports;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>A packet port in memory: gives what the test put in, keeps what the lcore sent.</summary>
internal sealed unsafe class TestPort : IPacketPort
{
    private readonly PacketPool _pool;

    public TestPort(PacketPool pool) => _pool = pool;

    /// <summary>Packets on their way in.</summary>
    public Queue<byte[]> Incoming { get; } = new();

    /// <summary>Packets that went out.</summary>
    public List<byte[]> Outgoing { get; } = [];

    /// <summary>How many packets are taken before the port counts as full.</summary>
    public int Room { get; set; } = int.MaxValue;

    public int Receive(PacketBuffer** burst, int capacity)
    {
        int count = 0;
        while (count < capacity && Incoming.TryPeek(out byte[]? bytes) && _pool.TryRent(out PacketBuffer* packet))
        {
            Incoming.Dequeue();
            Assert.True(packet->TrySetLength(bytes.Length));
            bytes.CopyTo(packet->Span);
            burst[count++] = packet;
        }
        return count;
    }

    public int Transmit(PacketBuffer** burst, int count)
    {
        int taken = Math.Min(count, Room);
        for (int i = 0; i < taken; i++)
        {
            Outgoing.Add(burst[i]->Span.ToArray());
            _pool.Return(burst[i]);
        }
        Room -= taken;
        return taken;
    }
}
