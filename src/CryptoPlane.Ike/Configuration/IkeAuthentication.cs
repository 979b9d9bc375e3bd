namespace CryptoPlane.Ike;

/// <summary>
/// How one side of a connection shows who it is (RFC 7296 §2.15): <see cref="IkePresharedKey"/> for either side,
/// <see cref="IkeCertificate"/> for ours, <see cref="IkeCertificateTrust"/> for the peer's. The two sides need not do the same.
/// </summary>
public abstract class IkeAuthentication
{
    private protected IkeAuthentication()
    {
    }
}
