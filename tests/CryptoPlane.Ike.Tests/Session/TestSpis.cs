namespace CryptoPlane.Ike.Tests.Session;

/// <summary>
/// SPIs whose top byte is the lcore + 1, as in the broker; 0 for any lcore. It watches that none is given back twice or leaks.
/// </summary>
internal sealed class TestSpis : IChildSpiSource
{
    private readonly HashSet<uint> _used = [];
    private uint _next = 0x100;

    public IReadOnlyCollection<uint> Used => _used;

    /// <summary>Whether there are any left.</summary>
    public bool IsEmpty { get; set; }

    public uint Allocate(int resource, uint replaces)
    {
        if (IsEmpty)
            return 0;
        if (replaces != 0)
            Assert.Equal(resource + 1, (int)(replaces >> 24));
        uint spi = (uint)(resource + 1) << 24 | _next++;
        Assert.True(_used.Add(spi));
        return spi;
    }

    public void Free(uint spi) => Assert.True(_used.Remove(spi), $"SPI {spi:x} was given back twice");
}
