using CryptoPlane.Buffers;

namespace CryptoPlane.Tests.Buffers;

public sealed unsafe class PacketPoolTests
{
    [Fact]
    public void Every_buffer_has_128_aligned_bytes_before_its_header_and_the_promised_room()
    {
        using var pool = new PacketPool(count: 37, bufferSize: 1999, headroom: 200);
        var seen = new HashSet<nuint>();
        while (pool.TryRent(out PacketBuffer* buffer))
        {
            Assert.Equal(0u, ((nuint)buffer - PacketBuffer.ForeignHeaderSize) % 128);
            Assert.Equal((nint)buffer + PacketBuffer.HeaderSize + 200, (nint)buffer->Data);
            Assert.True(buffer->Capacity >= 1999);
            Assert.Equal(200, buffer->Headroom);
            Assert.True(seen.Add((nuint)buffer));
            // Touches the whole block, so that an overlap would show in the next header.
            Assert.True(buffer->TrySetLength(buffer->Tailroom));
            buffer->Span.Fill(0xA5);
        }
        Assert.Equal(37, seen.Count);
        Assert.Equal(1, pool.Exhausted);
        Assert.Equal(0, pool.Available);
    }

    [Fact]
    public void The_last_returned_is_rented_next()
    {
        using var pool = new PacketPool(4, 256);
        Assert.True(pool.TryRent(out PacketBuffer* first));
        Assert.True(pool.TryRent(out _));
        pool.Return(first);
        Assert.True(pool.TryRent(out PacketBuffer* again));
        Assert.True(first == again);
    }

    [Fact]
    public void Room_at_the_front_and_the_back_is_checked()
    {
        using var pool = new PacketPool(1, 256, headroom: 64);
        Assert.True(pool.TryRent(out PacketBuffer* buffer));
        Assert.False(buffer->TryPrepend(65));
        Assert.True(buffer->TryPrepend(64));
        Assert.Equal(64, buffer->Length);
        Assert.False(buffer->TrySetLength(buffer->Capacity + 1));
        Assert.False(buffer->TryTrimFront(65));
        Assert.True(buffer->TryTrimFront(64));
        Assert.Equal(0, buffer->Length);
        Assert.False(buffer->TryReset(buffer->Capacity + 1));
    }

    [Fact]
    public void A_foreign_buffer_and_a_second_return_are_refused()
    {
        using var pool = new PacketPool(2, 256);
        using var other = new PacketPool(2, 256);
        Assert.True(other.TryRent(out PacketBuffer* foreign));
        Assert.True(pool.TryRent(out PacketBuffer* own));
        nint foreignAddress = (nint)foreign, ownAddress = (nint)own;
        Assert.Throws<InvalidOperationException>(() => pool.Return((PacketBuffer*)foreignAddress));
        pool.Return(own);
        Assert.Throws<InvalidOperationException>(() => pool.Return((PacketBuffer*)ownAddress));
    }
}
