namespace CryptoPlane.Esp.Tests;

public sealed class SpiTests
{
    [Fact]
    public void The_top_byte_names_the_lcore_and_no_SPI_is_reserved()
    {
        for (int lcore = 0; lcore <= Spi.MaxLcore; lcore++)
        {
            foreach (uint low in (uint[])[0, 1, 255, 0x12_3456, Spi.MaxLow24])
            {
                uint spi = Spi.Create(lcore, low);
                Assert.True(spi >= Spi.FirstUsable);
                Assert.Equal(lcore, Spi.LcoreOf(spi));
                Assert.Equal(low, spi & Spi.MaxLow24);
            }
        }
        Assert.Equal(-1, Spi.LcoreOf(0x00FF_FFFF));
    }

    [Theory]
    [InlineData(-1, 0u)]
    [InlineData(255, 0u)]
    [InlineData(0, 0x0100_0000u)]
    public void What_does_not_fit_is_refused(int lcore, uint low24) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Spi.Create(lcore, low24));
}
