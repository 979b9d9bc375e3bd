namespace CryptoPlane.Benchmarks.Tls.Handshakes;

/// <summary>A kind of handshake.</summary>
/// <param name="Name">Its name in tables.</param>
/// <param name="Credentials">The server's certificate.</param>
/// <param name="Chain">Whether clients build a chain to the root and compare names, or else know the server's key.</param>
/// <param name="Resume">Whether each handshake resumes the connection before it.</param>
internal sealed record HandshakeCase(string Name, BenchmarkCredentials Credentials, bool Chain, bool Resume)
{
    /// <summary>Tickets that a server gives for each connection: as many as are used.</summary>
    public int Tickets => Resume ? 1 : 0;
}
