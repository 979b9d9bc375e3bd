namespace CryptoPlane.Ike;

/// <summary>A pair of child SAs, by the SPI of the inbound one, which no other has while it lives.</summary>
/// <param name="InboundSpi">As <see cref="IChildSpiSource.Allocate"/> gave it.</param>
public readonly record struct ChildSaId(uint InboundSpi)
{
    /// <inheritdoc/>
    public override string ToString() => $"{InboundSpi:x8}";
}
