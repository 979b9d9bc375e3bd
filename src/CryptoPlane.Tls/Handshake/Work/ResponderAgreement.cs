using System.Security.Cryptography;
using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls.Handshake;

/// <summary>The server's half of the key exchange: a fresh key pair, agreed with the client's share.</summary>
internal sealed class ResponderAgreement : TlsPendingWork
{
    private readonly KeyExchangeGroup _exchange;
    private readonly byte[] _clientShare;
    private readonly byte[] _serverShare;
    private readonly byte[] _secret;

    public ResponderAgreement(TlsNamedGroup group, KeyExchangeGroup exchange, ReadOnlySpan<byte> clientShare)
        : base(TlsStatus.NeedsKeyAgreement)
    {
        Group = group;
        _exchange = exchange;
        _clientShare = clientShare.ToArray();
        _serverShare = new byte[exchange.ResponderShareSize];
        // Pinned, so that the collector leaves no copy of the secret behind.
        _secret = GC.AllocateArray<byte>(exchange.SecretSize, pinned: true);
    }

    public TlsNamedGroup Group { get; }

    public ReadOnlySpan<byte> ServerShare => _serverShare;

    public ReadOnlySpan<byte> Secret => _secret;

    private protected override TlsError? Run() =>
        // RFC 8446 §4.2.8.1, §4.2.8.2, §7.4.2: a share that is not of the group, or gives an all-zero secret.
        _exchange.TryRespond(_clientShare, _serverShare, _secret) ? null : TlsError.Illegal("The client's key share is not a valid one of its group.");

    protected override void Dispose(bool disposing) => CryptographicOperations.ZeroMemory(_secret);
}
