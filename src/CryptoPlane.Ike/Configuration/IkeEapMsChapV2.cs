using CryptoPlane.Ike.Authentication.Eap;

namespace CryptoPlane.Ike;

/// <summary>
/// Remote users show who they are by name and password (EAP-MSCHAPv2, RFC 7296 §2.16). For the peer's side of connections that we answer,
/// and only where we authenticate by certificate: a user who spoke to somebody else would give the password to be guessed offline.
/// </summary>
/// <remarks>
/// The user's name becomes the peer's identity (a mail address or domain name where it reads as one, else a key ID), and must match
/// <see cref="IkeConnection.RemoteId"/>. What the client says in IDi is not authenticated, and is not looked at. Each wrong password is a
/// <see cref="PeerRefused"/>; how many of them an address may cause is for the caller to limit.
/// </remarks>
public sealed class IkeEapMsChapV2 : IkeAuthentication
{
    /// <summary>Takes the users.</summary>
    public IkeEapMsChapV2(IEapUsers users)
    {
        ArgumentNullException.ThrowIfNull(users);
        Users = users;
    }

    /// <summary>The users.</summary>
    public IEapUsers Users { get; }
}
