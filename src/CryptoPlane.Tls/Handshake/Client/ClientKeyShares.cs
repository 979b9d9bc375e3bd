using CryptoPlane.PublicKey;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client's key pairs for the shares that a ClientHello offers, the preferred first (RFC 8446 §4.2.8).</summary>
internal sealed class ClientKeyShares(IReadOnlyList<ClientKeyShares.Pair> pairs) : IDisposable
{
    /// <summary>A key pair of a group.</summary>
    public readonly record struct Pair(TlsNamedGroup Group, KeyExchangeInitiator Initiator);

    /// <summary>Whether a share of the group was offered.</summary>
    public bool Has(TlsNamedGroup group) => pairs.Any(pair => pair.Group == group);

    /// <summary>The key pair of the group that the server chose; it stays this object's.</summary>
    /// <exception cref="InvalidOperationException">There is none: <see cref="Has"/> says so.</exception>
    public KeyExchangeInitiator Of(TlsNamedGroup group) => pairs.First(pair => pair.Group == group).Initiator;

    /// <summary>Writes the key_share extension.</summary>
    public void Write(WireWriter writer)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.KeyShare);
        WireWriter.LengthScope list = writer.Begin(2);
        foreach (Pair pair in pairs)
        {
            writer.WriteUInt16((ushort)pair.Group);
            writer.WriteVector16(pair.Initiator.Share.Span);
        }
        writer.End(list);
        writer.End(extension);
    }

    /// <summary>Erases the private keys.</summary>
    public void Dispose()
    {
        foreach (Pair pair in pairs)
            pair.Initiator.Dispose();
    }
}
