namespace CryptoPlane.Esp;

/// <summary>
/// Security parameters indexes of inbound SAs: the top byte names the lcore that owns the SA, so that a socket filter or a receive
/// queue steers a packet by looking at its first byte.
/// </summary>
/// <remarks>
/// <code>
/// | lcore + 1 (8 bits) | low24 |
/// </code>
/// The index is raised by one because SPI 0 is never sent and 1 to 255 are reserved (RFC 4303 §2.1): with a top byte of at least 1
/// every SPI made here is above them. SPIs of outbound SAs are the peer's choice and say nothing about our lcores.
/// </remarks>
public static class Spi
{
    /// <summary>Highest index of an lcore that an SPI can name.</summary>
    public const int MaxLcore = 254;

    /// <summary>Largest value of the low 24 bits.</summary>
    public const uint MaxLow24 = 0x00FF_FFFF;

    /// <summary>Lowest SPI that RFC 4303 §2.1 leaves free for use.</summary>
    public const uint FirstUsable = 256;

    /// <summary>Makes the SPI of an inbound SA.</summary>
    /// <param name="lcore">Index of the lcore that owns the SA, from 0.</param>
    /// <param name="low24">What tells the SAs of one lcore apart: up to 24 bits.</param>
    /// <exception cref="ArgumentOutOfRangeException">The lcore is above 254, or <paramref name="low24"/> needs more than 24 bits.</exception>
    public static uint Create(int lcore, uint low24)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lcore);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lcore, MaxLcore);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(low24, MaxLow24);
        return ((uint)(lcore + 1) << 24) | low24;
    }

    /// <summary>The index of the lcore that an inbound SPI names; -1 for an SPI that was not made here.</summary>
    public static int LcoreOf(uint spi) => (int)(spi >> 24) - 1;
}
