using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Session;

/// <summary>A child SA that both sides have agreed on, until all its key exchanges are made and it can be installed.</summary>
/// <param name="child">What it will be.</param>
/// <param name="secret">SK(0), that of the first key exchange; null: there is none. Owned by this object.</param>
/// <param name="nonces">Ni and Nr of the exchange (of IKE_SA_INIT, in IKE_AUTH).</param>
/// <param name="isInitiator">Whether we began the exchange.</param>
internal sealed class AgreedChild(ChildSa child, SecretBytes? secret, (byte[] Initiator, byte[] Responder) nonces, bool isInitiator) : IDisposable
{
    public ChildSa Child => child;

    /// <summary>Installs it; it is not sent on yet.</summary>
    /// <param name="sa">The IKE SA.</param>
    /// <param name="further">SK(1) and those after it.</param>
    public ChildSa Install(IkeSa sa, IReadOnlyList<SecretBytes> further)
    {
        ChildLifecycle.Install(sa, child, sa.Keys!.DeriveChild(child.Suite, secret, nonces.Initiator, nonces.Responder, further), isInitiator);
        return child;
    }

    /// <summary>Zeroes the secret.</summary>
    public void Dispose() => secret?.Dispose();
}
