namespace CryptoPlane.Tls.AspNetCore;

/// <summary>
/// What is known of a connection's TLS besides what ASP.NET Core's own features say (<c>ITlsHandshakeFeature</c>, <c>ITlsConnectionFeature</c>,
/// <c>ITlsApplicationProtocolFeature</c>, which are there as well). From <c>HttpContext.Features</c> or <c>ConnectionContext.Features</c>.
/// </summary>
public interface ICryptoPlaneTlsFeature
{
    /// <summary>The key exchange group.</summary>
    TlsNamedGroup NegotiatedGroup { get; }

    /// <summary>Whether the connection resumes an earlier one of the client's.</summary>
    bool IsResumed { get; }

    /// <summary>Exports keying material (RFC 8446 §7.5), such as the channel binding of RFC 9266, while the connection lasts.</summary>
    /// <param name="label">Says what it is for, in ASCII.</param>
    /// <param name="context">Of any length; none and an empty one are the same.</param>
    /// <param name="output">Filled.</param>
    /// <exception cref="ObjectDisposedException">The connection has ended.</exception>
    void ExportKeyingMaterial(string label, ReadOnlySpan<byte> context, Span<byte> output);
}
