using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.TestKit;

public sealed unsafe class NativeBufferTests
{
    [Theory]
    [InlineData(GuardPage.Before)]
    [InlineData(GuardPage.Behind)]
    public void The_guard_page_touches_the_buffer_and_cannot_be_accessed(GuardPage guard)
    {
        using var buffer = new NativeBuffer(5000, guard);
        buffer.Span.Fill(0x5A);
        nint guarded = guard == GuardPage.Before ? (nint)buffer.Pointer - 1 : (nint)buffer.Pointer + 5000;
        string protection = File.ReadLines("/proc/self/maps").Single(line => Covers(line, guarded)).Split(' ')[1];
        Assert.Equal("---p", protection);
    }

    [Fact]
    public void Content_is_copied_to_aligned_memory()
    {
        using var buffer = new NativeBuffer([1, 2, 3], alignment: 128);
        Assert.Equal(0, (nint)buffer.Pointer % 128);
        Assert.Equal([1, 2, 3], buffer.Span.ToArray());
    }

    private static bool Covers(string mapsLine, nint address)
    {
        string[] range = mapsLine.Split(' ')[0].Split('-');
        return address >= Convert.ToInt64(range[0], 16) && address < Convert.ToInt64(range[1], 16);
    }
}
