using CryptoPlane.Buffers;
using CryptoPlane.Ports;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>A wire in memory between two ports of frames. A frame is copied into the pool of the end where it arrives.</summary>
internal sealed unsafe class FrameWire
{
    private readonly Queue<byte[]> _toLeft = new(), _toRight = new();

    public FrameWire(PacketPool left, PacketPool right)
    {
        Left = new End(left, _toLeft, _toRight);
        Right = new End(right, _toRight, _toLeft);
    }

    public End Left { get; }

    public End Right { get; }

    internal sealed class End(PacketPool pool, Queue<byte[]> incoming, Queue<byte[]> outgoing) : IPacketPort
    {
        /// <summary>Frames that this end has sent and the other has not received.</summary>
        public Queue<byte[]> Outgoing => outgoing;

        /// <summary>Frames that wait for this end.</summary>
        public Queue<byte[]> Incoming => incoming;

        /// <summary>Frames that a transmit call takes at most.</summary>
        public int Room { get; set; } = int.MaxValue;

        /// <summary>An earlier frame whose bytes a received one overwrites, as far as it goes; zeros are behind it.</summary>
        public byte[] Earlier { get; set; } = [];

        /// <summary>What the hardware found out about received frames.</summary>
        public PacketFlags Flags { get; set; }

        public int Receive(PacketBuffer** burst, int capacity)
        {
            int count = 0;
            while (count < capacity && incoming.TryDequeue(out byte[]? frame))
            {
                Assert.True(pool.TryRent(out PacketBuffer* buffer));
                var room = new Span<byte>(buffer->Data, buffer->Tailroom);
                room.Clear();
                Earlier.CopyTo(room);
                Assert.True(buffer->TrySetLength(frame.Length));
                frame.CopyTo(buffer->Span);
                buffer->Flags = Flags;
                burst[count++] = buffer;
            }
            return count;
        }

        public int Transmit(PacketBuffer** burst, int count)
        {
            int taken = Math.Min(count, Room);
            for (int i = 0; i < taken; i++)
                outgoing.Enqueue(burst[i]->Span.ToArray());
            pool.Return(burst, taken);
            return taken;
        }
    }
}
