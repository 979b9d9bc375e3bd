using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake;

/// <summary>One whole handshake message (RFC 8446 §4): a view that is valid while its state handles it.</summary>
/// <param name="whole">Header and body, as the transcript wants them.</param>
internal readonly ref struct HandshakeMessage(ReadOnlySpan<byte> whole)
{
    /// <summary>Type and length.</summary>
    public const int HeaderSize = 4;

    public ReadOnlySpan<byte> Whole { get; } = whole;

    public HandshakeType Type => (HandshakeType)Whole[0];

    public ReadOnlySpan<byte> Body => Whole[HeaderSize..];
}
