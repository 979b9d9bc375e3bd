using CryptoPlane.Buffers;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Datagram;

/// <summary>What the tests of datagram ports do over and over.</summary>
internal static unsafe class PortHarness
{
    /// <summary>Fills a buffer of the pool with a payload for a peer.</summary>
    public static nint Packet(PacketPool pool, PacketEndpoint peer, ReadOnlySpan<byte> payload)
    {
        Assert.True(pool.TryRent(out PacketBuffer* packet));
        Assert.True(packet->TrySetLength(payload.Length));
        payload.CopyTo(packet->Span);
        *(PacketEndpoint*)packet->Scratch = peer;
        return (nint)packet;
    }

    /// <summary>Sends packets as one burst; all of them must be taken.</summary>
    public static void Send(IPacketPort port, params nint[] packets)
    {
        fixed (nint* burst = packets)
            Assert.Equal(packets.Length, port.Transmit((PacketBuffer**)burst, packets.Length));
    }

    /// <summary>Receives until <paramref name="count"/> payloads have come, and gives the buffers back.</summary>
    public static List<(byte[] Payload, PacketEndpoint Peer)> Receive(IPacketPort port, PacketPool pool, int count)
    {
        var received = new List<(byte[], PacketEndpoint)>();
        Eventually.True(() =>
        {
            Drain(port, pool, received);
            return received.Count >= count;
        }, $"{count} packets");
        return received;
    }

    /// <summary>Receives what is there.</summary>
    public static void Drain(IPacketPort port, PacketPool pool, List<(byte[] Payload, PacketEndpoint Peer)> received)
    {
        PacketBuffer** burst = stackalloc PacketBuffer*[32];
        int count;
        while ((count = port.Receive(burst, 32)) > 0)
        {
            for (int i = 0; i < count; i++)
                received.Add((burst[i]->Span.ToArray(), *(PacketEndpoint*)burst[i]->Scratch));
            pool.Return(burst, count);
        }
    }
}
