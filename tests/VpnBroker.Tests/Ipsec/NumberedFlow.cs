using System.Buffers.Binary;
using System.Net;
using CryptoPlane.TestKit;
using VpnBroker.Tests.DataPlane;
using VpnBroker.Tests.DataPlane.Children;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.Ipsec;

/// <summary>UDP packets of one flow, from one user to another, each with its number: whoever gets them sees what is missing or came out of order.</summary>
internal sealed class NumberedFlow(TestUser from, string source, TestUser to, string destination)
{
    private const int PayloadOffset = 20 + 8;

    /// <summary>A length that no other packet of these tests has.</summary>
    private const int Length = 137;

    /// <summary>Most packets on their way: fewer than any queue between the two has room for.</summary>
    private const int Window = 100;

    private readonly byte[] _source = IPAddress.Parse(source).GetAddressBytes();

    /// <summary>Packets that were sent.</summary>
    public int Sent { get; private set; }

    /// <summary>Sends the next packets, once those before have come.</summary>
    public void Send(int count)
    {
        Eventually.True(() => Received().Length + Window >= Sent, $"packets from {source}, of which {Sent} were sent");
        for (int i = 0; i < count; i++)
        {
            byte[] packet = InnerPackets.Udp(source, destination, Length);
            BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(PayloadOffset), Sent++);
            from.SendPacket(packet);
        }
    }

    /// <summary>The numbers of what has come, as it came.</summary>
    public int[] Received()
    {
        ChildBed.Received(to);
        return [.. to.Packets.Where(packet => packet.Length == Length && packet.AsSpan(12, 4).SequenceEqual(_source))
            .Select(packet => BinaryPrimitives.ReadInt32BigEndian(packet.AsSpan(PayloadOffset)))];
    }

    /// <summary>Waits for everything, and compares the order.</summary>
    public void AssertAllInOrder()
    {
        Eventually.Becomes(() => Received().Length >= Sent, Eventually.DefaultTimeout);
        Assert.Equal(Enumerable.Range(0, Sent), Received());
    }
}
