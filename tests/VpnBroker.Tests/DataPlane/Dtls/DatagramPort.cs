using CryptoPlane.Buffers;
using CryptoPlane.Ports;

namespace VpnBroker.Tests.DataPlane.Dtls;

/// <summary>A UDP port in memory: what the test puts in with its sender's address, and what the lcore sent, with where to.</summary>
internal sealed unsafe class DatagramPort(PacketPool pool) : IPacketPort
{
    public Queue<(PacketEndpoint From, byte[] Bytes)> Incoming { get; } = new();

    public List<(PacketEndpoint To, byte[] Bytes)> Outgoing { get; } = [];

    /// <summary>How many datagrams are taken before the port counts as full.</summary>
    public int Room { get; set; } = int.MaxValue;

    public int Receive(PacketBuffer** burst, int capacity)
    {
        int count = 0;
        while (count < capacity && Incoming.TryPeek(out (PacketEndpoint From, byte[] Bytes) datagram) && pool.TryRent(out PacketBuffer* packet))
        {
            Incoming.Dequeue();
            Assert.True(packet->TrySetLength(datagram.Bytes.Length));
            datagram.Bytes.CopyTo(packet->Span);
            *(PacketEndpoint*)packet->Scratch = datagram.From;
            burst[count++] = packet;
        }
        return count;
    }

    public int Transmit(PacketBuffer** burst, int count)
    {
        int taken = Math.Min(count, Room);
        for (int i = 0; i < taken; i++)
            Outgoing.Add((*(PacketEndpoint*)burst[i]->Scratch, burst[i]->Span.ToArray()));
        pool.Return(burst, taken);
        Room -= taken;
        return taken;
    }
}
