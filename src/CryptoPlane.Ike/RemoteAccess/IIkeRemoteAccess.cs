namespace CryptoPlane.Ike.RemoteAccess;

/// <summary>
/// Decides what each remote user is given, once the user is authenticated (RFC 7296 §2.19). Called on the endpoint's thread, so it must
/// answer at once. <see cref="IkeRemoteAccess"/> gives all users the same.
/// </summary>
public interface IIkeRemoteAccess
{
    /// <summary>Admits a user to a new IKE SA.</summary>
    /// <param name="user">Who asks, and for what.</param>
    /// <returns>
    /// What the user is given, until <see cref="Release"/>; null where there is nothing: the user is told INTERNAL_ADDRESS_FAILURE, and has an
    /// IKE SA without a child SA (RFC 7296 §3.15.4), which the caller may terminate.
    /// </returns>
    IkeUserGrant? Admit(IkeUserRequest user);

    /// <summary>The user is gone: the IKE SA, or what replaced it by rekeys, has ended. Its child SAs are removed by the events before.</summary>
    void Release(IkeUserGrant grant);
}
