using CryptoPlane.PublicKey;
using CryptoPlane.Tls.Handshake.Client;

namespace CryptoPlane.Tls.Handshake;

/// <summary>The client's key pairs for the shares that its ClientHello offers.</summary>
internal sealed class InitiatorKeyGeneration(IReadOnlyList<TlsNamedGroup> groups) : TlsPendingWork(TlsStatus.NeedsKeyAgreement)
{
    private ClientKeyShares? _shares;

    /// <summary>Hands the key pairs over; the caller disposes of them.</summary>
    public ClientKeyShares TakeShares()
    {
        ClientKeyShares shares = _shares ?? throw new InvalidOperationException("The key pairs are not there: they were taken, or the work was not executed.");
        _shares = null;
        return shares;
    }

    private protected override TlsError? Run()
    {
        var pairs = new List<ClientKeyShares.Pair>(groups.Count);
        // Made known first: if a later key pair fails, the earlier ones are erased with it.
        _shares = new ClientKeyShares(pairs);
        foreach (TlsNamedGroup group in groups)
            pairs.Add(new ClientKeyShares.Pair(group, group.KeyExchange()!.CreateInitiator()));
        return null;
    }

    protected override void Dispose(bool disposing) => _shares?.Dispose();
}
