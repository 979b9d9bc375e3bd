using System.Security.Cryptography;
using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls.Handshake;

/// <summary>The client's agreement with the server's share. The key pair stays its owner's, and lives until the work is done.</summary>
internal sealed class InitiatorAgreement : TlsPendingWork
{
    private readonly KeyExchangeInitiator _initiator;
    private readonly byte[] _serverShare;
    private readonly byte[] _secret;

    public InitiatorAgreement(KeyExchangeInitiator initiator, ReadOnlySpan<byte> serverShare)
        : base(TlsStatus.NeedsKeyAgreement)
    {
        _initiator = initiator;
        _serverShare = serverShare.ToArray();
        _secret = GC.AllocateArray<byte>(initiator.Group.SecretSize, pinned: true);
    }

    public ReadOnlySpan<byte> Secret => _secret;

    private protected override TlsError? Run() =>
        _initiator.TryFinish(_serverShare, _secret) ? null : TlsError.Illegal("The server's key share is not a valid one of its group.");

    protected override void Dispose(bool disposing) => CryptographicOperations.ZeroMemory(_secret);
}
