using CryptoPlane.Ike.RemoteAccess;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>Gives a remote user its inner addresses in IKE_AUTH (RFC 7296 §2.19), where the connection has any to give.</summary>
internal static class AddressAssignment
{
    /// <summary>Answers the request's CP payload.</summary>
    /// <param name="sa">The IKE SA, which is established, and holds the addresses from now on.</param>
    /// <param name="request">The user's request.</param>
    /// <param name="response">Takes the answer or the error.</param>
    /// <returns>
    /// Whether a child SA may be made: not without an address, since its traffic selectors are the address (RFC 7296 §3.15.4).
    /// </returns>
    public static bool TryAssign(IkeSa sa, IkePayloads request, List<IIkePayload> response)
    {
        if (sa.Connection!.RemoteAccess is not { } access)
            return true;
        if (request.Configuration is not { ConfigurationType: ConfigurationType.Request } asked || !ConfigurationLease.AsksForAddress(asked))
        {
            response.Add(new NotifyPayload(NotifyType.FailedCpRequired));
            return false;
        }
        IkeUserRequest user = new() { IkeSa = sa.LocalSpi, Connection = sa.Connection.Name, User = sa.RemoteId!.ToString(), Remote = sa.Path.Remote };
        if (ConfigurationLease.TryCreate(asked, access, user) is not { } lease)
        {
            response.Add(new NotifyPayload(NotifyType.InternalAddressFailure));
            return false;
        }
        sa.Lease = lease;
        response.Add(lease.Reply);
        return true;
    }
}
