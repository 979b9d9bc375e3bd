using CryptoPlane.Buffers;

namespace CryptoPlane.Dpdk.Tests.Ports;

public sealed unsafe class DpdkPacketBlocksTests
{
    [Fact]
    public void A_pool_of_mbufs_is_a_pool_like_any_other()
    {
        DpdkTestBed.Require();
        using var pool = new PacketPool(100, 1999, 200, new DpdkPacketBlocks());
        var seen = new HashSet<nuint>();
        while (pool.TryRent(out PacketBuffer* buffer))
        {
            Assert.Equal(0u, (nuint)buffer % 64);
            Assert.Equal((nint)buffer + PacketBuffer.HeaderSize + 200, (nint)buffer->Data);
            Assert.True(buffer->Capacity >= 1999);
            Assert.True(seen.Add((nuint)buffer));
            // Touches the whole block, so that an overlap would show in the next header.
            Assert.True(buffer->TrySetLength(buffer->Tailroom));
            buffer->Span.Fill(0xA5);
        }
        Assert.Equal(100, seen.Count);
        Assert.Equal(1, pool.Exhausted);
        foreach (nuint buffer in seen)
            pool.Return((PacketBuffer*)buffer);
        Assert.Equal(100, pool.Available);
        Assert.Throws<InvalidOperationException>(() => pool.Return((PacketBuffer*)seen.First()));
    }

    [Fact]
    public void What_cannot_be_is_refused_with_what_to_do()
    {
        DpdkTestBed.Require();
        var blocks = new DpdkPacketBlocks();
        Assert.Throws<ArgumentOutOfRangeException>(() => new PacketPool(1, 70_000, 128, blocks));
        var error = Assert.Throws<OutOfMemoryException>(() => new PacketPool(10_000_000, 2048, 128, blocks));
        Assert.Contains("EalOptions.MemoryMegabytes", error.Message, StringComparison.Ordinal);
    }
}
