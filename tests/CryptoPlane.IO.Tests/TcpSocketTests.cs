using System.Security.Cryptography;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests;

public sealed unsafe class TcpSocketTests
{
    [Fact]
    public void Nothing_to_read_and_an_ended_connection_are_told_apart()
    {
        using var pair = new SocketPair();
        byte* buffer = stackalloc byte[16];
        Assert.Equal(IoStatus.WouldBlock, TcpSocket.Receive(pair.File, buffer, 16, out int received));
        Assert.Equal(0, received);
        pair.Client.Send([1, 2, 3]);
        Eventually.True(() => Receive(pair.File, out int count) == IoStatus.Done && count == 3, "three bytes");
        pair.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Eventually.True(() => Receive(pair.File, out _) == IoStatus.Closed, "the end of the connection");
    }

    [Fact]
    public void A_reset_connection_is_closed_and_raises_no_signal()
    {
        using var pair = new SocketPair();
        pair.Client.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        pair.Client.Close();
        byte* data = stackalloc byte[4];
        Eventually.True(() => Receive(pair.File, out _) == IoStatus.Closed, "the reset");
        Assert.Equal(IoStatus.Closed, TcpSocket.Send(pair.File, data, 4, out int sent));
        Assert.Equal(0, sent);
    }

    [Fact]
    public void A_closed_descriptor_is_a_failure()
    {
        byte* data = stackalloc byte[4];
        Assert.Equal(IoStatus.Failed, TcpSocket.Receive(-1, data, 4, out _));
        Assert.Equal(IoStatus.Failed, TcpSocket.Send(-1, data, 4, out _));
        Assert.Equal(-1, TcpSocket.UnsentBytes(-1));
    }

    /// <summary>The socket takes less than is offered; resuming wherever it stopped, also in the middle of a piece, loses nothing.</summary>
    [Fact]
    public void Partial_writes_of_vectors_are_resumed_where_they_stopped()
    {
        using var pair = new SocketPair();
        Assert.True(TcpSocket.SetNonBlocking(pair.File));
        Assert.True(TcpSocket.SetNoDelay(pair.File));
        Assert.True(TcpSocket.SetSendBuffer(pair.File, 16_384));
        Assert.True(TcpSocket.SetReceiveBuffer(pair.File, 16_384));
        Assert.True(TcpSocket.SetNotSentLowWater(pair.File, 65_536));
        byte[] content = RandomNumberGenerator.GetBytes(3_000_001);
        using var buffer = new NativeBuffer(content);
        byte[] arrived = new byte[content.Length];
        var reader = new Thread(() =>
        {
            for (int total = 0; total < arrived.Length;)
                total += pair.Client.Receive(arrived, total, arrived.Length - total, System.Net.Sockets.SocketFlags.None);
        });

        using var epoll = new EpollSet();
        Assert.True(epoll.TryAdd(pair.File, EpollEvents.Writable, 7));
        IoVector* vectors = stackalloc IoVector[40];
        bool wouldBlock = false, partial = false;
        for (int sent = 0; sent < content.Length;)
        {
            int count = 0;
            for (int offset = sent; count < 40 && offset < content.Length; count++, offset += 3_333)
                vectors[count] = new IoVector(buffer.Pointer + offset, Math.Min(3_333, content.Length - offset));
            IoStatus status = TcpSocket.SendVector(pair.File, vectors, count, out long taken);
            if (status == IoStatus.WouldBlock)
            {
                if (!wouldBlock)
                {
                    // Later the reader may have taken everything since.
                    Assert.True(TcpSocket.UnsentBytes(pair.File) > 0);
                    reader.Start();
                }
                wouldBlock = true;
                Assert.Equal(1, epoll.Wait(20_000));
                Assert.Equal(7UL, epoll[0].UserData);
                continue;
            }
            Assert.Equal(IoStatus.Done, status);
            partial |= taken < Math.Min(40 * 3_333, content.Length - sent);
            sent += (int)taken;
        }
        Assert.True(reader.Join(TimeSpan.FromSeconds(30)));
        Assert.True(wouldBlock);
        Assert.True(partial);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(arrived));
        Assert.Equal(0, TcpSocket.PendingError(pair.File));
    }

    [Fact]
    public void Ending_a_direction_is_seen_by_the_peer()
    {
        using var pair = new SocketPair();
        TcpSocket.ShutdownSend(pair.File);
        Assert.Equal(0, pair.Client.Receive(new byte[1]));
        pair.Client.Send([9]);
        Eventually.True(() => Receive(pair.File, out int count) == IoStatus.Done && count == 1, "the other direction still works");
    }

    [Fact]
    public void The_steady_state_allocates_nothing()
    {
        using var pair = new SocketPair();
        byte[] drain = new byte[1 << 16];
        void Work()
        {
            byte* data = stackalloc byte[4096];
            IoVector* vectors = stackalloc IoVector[2];
            for (int i = 0; i < 1000; i++)
            {
                TcpSocket.Send(pair.File, data, 4096, out _);
                vectors[0] = new IoVector(data, 100);
                vectors[1] = new IoVector(data, 100);
                TcpSocket.SendVector(pair.File, vectors, 2, out _);
                TcpSocket.Receive(pair.File, data, 4096, out _);
                while (TcpSocket.UnsentBytes(pair.File) > 8192)
                    pair.Client.Receive(drain);
                while (pair.Client.Available > 0)
                    pair.Client.Receive(drain);
            }
        }
        Work();
        AllocationReading reading = AllocationMeter.Measure(Work);
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
    }

    private static IoStatus Receive(int file, out int count)
    {
        byte* buffer = stackalloc byte[64];
        return TcpSocket.Receive(file, buffer, 64, out count);
    }
}
