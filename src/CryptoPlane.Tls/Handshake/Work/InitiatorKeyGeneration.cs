using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls.Handshake;

/// <summary>The client's key pair for the share that its ClientHello offers.</summary>
internal sealed class InitiatorKeyGeneration(TlsNamedGroup group, KeyExchangeGroup exchange) : TlsPendingWork(TlsStatus.NeedsKeyAgreement)
{
    private KeyExchangeInitiator? _initiator;

    public TlsNamedGroup Group { get; } = group;

    /// <summary>Hands the key pair over; the caller disposes of it.</summary>
    public KeyExchangeInitiator TakeInitiator()
    {
        KeyExchangeInitiator initiator = _initiator ?? throw new InvalidOperationException("The key pair is not there: it was taken, or the work was not executed.");
        _initiator = null;
        return initiator;
    }

    private protected override TlsError? Run()
    {
        _initiator = exchange.CreateInitiator();
        return null;
    }

    protected override void Dispose(bool disposing) => _initiator?.Dispose();
}
