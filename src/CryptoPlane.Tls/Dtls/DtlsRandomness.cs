namespace CryptoPlane.Tls.Dtls;

/// <summary>Fills a span with random bytes; anything but <c>RandomNumberGenerator.Fill</c> is for tests.</summary>
/// <param name="destination">All of it is to be filled.</param>
public delegate void DtlsRandomness(Span<byte> destination);
