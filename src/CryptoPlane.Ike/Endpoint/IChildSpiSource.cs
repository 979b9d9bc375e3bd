namespace CryptoPlane.Ike;

/// <summary>
/// Where inbound SPIs of child SAs come from: the owner of the inbound SAs decides, since its sockets steer by them. On the endpoint's
/// thread.
/// </summary>
public interface IChildSpiSource
{
    /// <summary>Takes an SPI that no inbound SA has.</summary>
    /// <param name="resource">The lcore for which it is, from 0; -1: none in particular.</param>
    /// <param name="replaces">
    /// The SPI of the SA that it will take the place of, or 0. Where it is for no lcore in particular, the same lcore should have both: else packets
    /// of one flow would for a moment go by two lcores, and overtake one another.
    /// </param>
    /// <returns>256 or above; 0 where there is none left.</returns>
    uint Allocate(int resource, uint replaces);

    /// <summary>Gives an SPI back: its SA is gone, or never came to be.</summary>
    void Free(uint spi);
}
