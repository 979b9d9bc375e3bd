using System.Net;
using System.Text;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// IKE_AUTH with EAP as responder (RFC 7296 §2.16), from the response in which we have authenticated: EAP's packets, then both sides' AUTH
/// by the MSK, which ties the EAP conversation to this IKE SA.
/// </summary>
/// <param name="connection">The users' connection.</param>
/// <param name="users">The users.</param>
/// <param name="first">The client's first request: its ID, and what it asks for.</param>
/// <param name="host">Gives randomness.</param>
/// <param name="remote">Where the client is.</param>
internal sealed class EapResponder(IkeConnection connection, IEapUsers users, IkePayloads first, SessionHost host, IPEndPoint remote) : IDisposable
{
    private readonly EapMsChapV2Server _server = new(users, Printable(connection.LocalId), host.Options.Randomness, remote);
    private SecretBytes? _msk;

    /// <summary>The users' connection.</summary>
    public IkeConnection Connection => connection;

    /// <summary>The client's first request.</summary>
    public IkePayloads First => first;

    /// <summary>The user; null until <see cref="EapOutcome.Authenticated"/>.</summary>
    public IkeIdentity? User { get; private set; }

    /// <summary>Who wants to be the user; null until the client has said so to the challenge. Not proven.</summary>
    public IkeIdentity? Tried => _server.TriedName.Length == 0 ? null : ToIdentity(_server.TriedName);

    /// <summary>With <see cref="EapOutcome.Refusing"/>: what for.</summary>
    public PeerRefusalCause Cause => _server.IsBlocked ? PeerRefusalCause.TooManyAttempts : PeerRefusalCause.WrongPassword;

    /// <summary>The first EAP packet.</summary>
    public EapPayload Begin() => new(_server.Begin());

    /// <summary>Goes on with the client's next request.</summary>
    /// <param name="sa">The IKE SA.</param>
    /// <param name="request">The request.</param>
    /// <param name="response">Takes the next EAP packet, or in the end our AUTH.</param>
    /// <param name="failure">What is wrong, for people; empty where that was said already.</param>
    public EapOutcome Handle(IkeSa sa, IkePayloads request, List<IIkePayload> response, out string failure)
    {
        failure = "";
        if (_msk is { } msk)
            return Finish(sa, msk, request, response, out failure);
        if (request.Eap is not { } packet)
        {
            failure = "it does not go on with EAP";
            return EapOutcome.Refused;
        }
        bool wasRefused = _server.IsRefused;
        EapStatus status = _server.Handle(packet.Packet, out byte[] next);
        response.Add(new EapPayload(next));
        if (_server.IsRefused)
        {
            failure = _server.IsBlocked ? "too many attempts before" : "its user name or password is wrong";
            return EapOutcome.Refusing;
        }
        if (status == EapStatus.Failure)
        {
            failure = wasRefused ? "" : "it does not speak EAP-MSCHAPv2";
            return EapOutcome.Refused;
        }
        if (status == EapStatus.Success)
            _msk = _server.TakeMsk();
        return EapOutcome.Continues;
    }

    /// <summary>Zeroes the MSK.</summary>
    public void Dispose()
    {
        _server.Dispose();
        _msk?.Dispose();
        _msk = null;
    }

    private EapOutcome Finish(IkeSa sa, SecretBytes msk, IkePayloads request, List<IIkePayload> response, out string failure)
    {
        PrfAlgorithm prf = sa.Keys!.Suite.Prf;
        byte[] theirs = Authenticator.Octets(sa, ofInitiator: true, first.Initiator!);
        if (request.Authentication is not { Method: AuthenticationMethod.SharedKey } auth || !SharedKeyAuthentication.Verify(prf, msk, theirs, auth.Data))
        {
            failure = "its AUTH was not made with EAP's key: somebody may stand between";
            return EapOutcome.Refused;
        }
        IkeIdentity user = ToIdentity(_server.UserName);
        if (!connection.RemoteId.Matches(user))
        {
            failure = $"the connection is not for the user {user}";
            return EapOutcome.Refused;
        }
        failure = "";
        User = user;
        byte[] ours = Authenticator.Octets(sa, ofInitiator: false,
            IdentificationPayload.Create(PayloadType.IdentificationResponder, (byte)connection.LocalId.Type, connection.LocalId.Data.Span));
        response.Add(new AuthenticationPayload(AuthenticationMethod.SharedKey, SharedKeyAuthentication.Compute(prf, msk, ours)));
        return EapOutcome.Authenticated;
    }

    private static IkeIdentity ToIdentity(string userName)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(userName);
        if (IkeIdentity.TryCreate(IkeIdentityType.Rfc822Address, bytes, out IkeIdentity? identity) || IkeIdentity.TryCreate(IkeIdentityType.Fqdn, bytes, out identity))
            return identity;
        return IkeIdentity.KeyId(bytes);
    }

    private static string Printable(IkeIdentity identity) => identity.Type == IkeIdentityType.KeyId ? "gateway" : identity.ToString();
}
