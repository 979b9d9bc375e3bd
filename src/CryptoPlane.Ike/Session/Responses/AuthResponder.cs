using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// IKE_AUTH as responder (RFC 7296 §1.2): finds out which connection the peer belongs to, and whether it is who it says to be.
/// </summary>
/// <param name="candidates">The connections that the addresses and the algorithms leave, in the order of the configuration.</param>
internal sealed class AuthResponder(IReadOnlyList<IkeConnection> candidates) : IDisposable
{
    private EapResponder? _eap;

    /// <summary>Whether the peer has begun to show who it is.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Answers a request.</summary>
    public void HandleRequest(IkeSa sa, IkePayloads request, List<IIkePayload> response, long now)
    {
        // RFC 9370 §2.2.2: whoever leaves out a key exchange that was agreed on gets no keys without it.
        if (sa.Intermediate is { Awaited: not KeyExchangeMethod.None })
        {
            IntermediateResponder.Refuse(sa, "it goes on to IKE_AUTH without the key exchanges that were agreed on", response);
            return;
        }
        HasBegun = true;
        if (_eap is { } eap)
        {
            ContinueEap(sa, eap, request, response, now);
            return;
        }
        if (request.Initiator is not { } identity
            || !IkeIdentity.TryCreate((IkeIdentityType)identity.IdentificationType, identity.Data, out IkeIdentity? remoteId))
        {
            Refuse(sa, null, "it does not say who it is", response);
            return;
        }
        if (Find(remoteId, request) is not { } connection)
        {
            Refuse(sa, remoteId, "no connection is for this identity", response);
            return;
        }
        if (connection.RemoteAuthentication is IkeEapMsChapV2 users)
        {
            BeginEap(sa, connection, users, remoteId, request, response);
            return;
        }
        if (!Authenticator.Verify(sa, connection, identity, remoteId, request, out string failure))
        {
            Refuse(sa, remoteId, failure, response, connection);
            return;
        }
        Accept(sa, connection, remoteId, request, response, now);
    }

    /// <summary>
    /// The first connection that is for the peer, for the way it authenticates, and for whom it wants to speak to (RFC 7296 §2.15, IDr).
    /// </summary>
    private IkeConnection? Find(IkeIdentity remoteId, IkePayloads request)
    {
        AuthenticationMethod? method = request.Authentication?.Method;
        return candidates.FirstOrDefault(connection => MayBe(connection)
            && (request.Responder is not { } wanted
                || ((byte)connection.LocalId.Type == wanted.IdentificationType && connection.LocalId.Data.Span.SequenceEqual(wanted.Data))));

        // RFC 7296 §2.16: a request without AUTH asks for EAP. Its user is known, and matched, only in the end.
        bool MayBe(IkeConnection connection) => connection.RemoteAuthentication switch
        {
            IkeEapMsChapV2 => method is null,
            IkePresharedKey => method == AuthenticationMethod.SharedKey && connection.RemoteId.Matches(remoteId),
            _ => method is not (null or AuthenticationMethod.SharedKey) && connection.RemoteId.Matches(remoteId),
        };
    }

    /// <summary>Authenticates by our certificate first, and asks the user for name and password.</summary>
    private void BeginEap(
        IkeSa sa, IkeConnection connection, IkeEapMsChapV2 users, IkeIdentity remoteId, IkePayloads request, List<IIkePayload> response)
    {
        if (!TryShowOurselves(sa, connection, remoteId, response))
            return;
        _eap = new EapResponder(connection, users.Users, request, sa.Host, sa.Path.Remote);
        response.Add(_eap.Begin());
    }

    private static void ContinueEap(IkeSa sa, EapResponder eap, IkePayloads request, List<IIkePayload> response, long now)
    {
        switch (eap.Handle(sa, request, response, out string failure))
        {
            case EapOutcome.Authenticated:
                Establish(sa, eap.Connection, eap.User!, eap.First, response, now);
                break;
            case EapOutcome.Refusing:
                sa.Host.Emit(new PeerRefused(sa.Path.Remote, eap.Tried, failure) { Connection = eap.Connection.Name, Cause = eap.Cause });
                break;
            case EapOutcome.Refused:
                Refuse(sa, eap.Tried, failure, response, eap.Connection);
                break;
        }
    }

    private static void Accept(
        IkeSa sa, IkeConnection connection, IkeIdentity remoteId, IkePayloads request, List<IIkePayload> response, long now)
    {
        if (TryShowOurselves(sa, connection, remoteId, response))
            Establish(sa, connection, remoteId, request, response, now);
    }

    /// <summary>Adds who we are, and the proof; or refuses.</summary>
    private static bool TryShowOurselves(IkeSa sa, IkeConnection connection, IkeIdentity remoteId, List<IIkePayload> response)
    {
        IdentificationPayload ours =
            IdentificationPayload.Create(PayloadType.IdentificationResponder, (byte)connection.LocalId.Type, connection.LocalId.Data.Span);
        response.Add(ours);
        if (Authenticator.TrySign(sa, connection, ours, response))
            return true;
        response.Clear();
        Refuse(sa, remoteId, "it takes no signature that our key can make", response, connection);
        return false;
    }

    /// <summary>Both sides have authenticated: grants what the peer asked for in its first request.</summary>
    private static void Establish(
        IkeSa sa, IkeConnection connection, IkeIdentity remoteId, IkePayloads request, List<IIkePayload> response, long now)
    {
        IkeSa[] others = [.. sa.Host.FindPeer(connection, remoteId).Where(other => other != sa)];
        sa.Peer.Mobike = connection.Mobike && request.Find(NotifyType.MobikeSupported) is not null;
        if (sa.Peer.Mobike)
            response.Add(new NotifyPayload(NotifyType.MobikeSupported));

        InitTranscript transcript = sa.Transcript!;
        sa.Establish(connection, remoteId, replaces: null, now);
        // RFC 7296 §2.4: the peer has authenticated, and has forgotten all that was before. Not so with EAP, whose user may have several
        // devices, each of which knows of itself alone.
        if (request.Find(NotifyType.InitialContact) is not null && connection.RemoteAuthentication is not IkeEapMsChapV2)
        {
            foreach (IkeSa other in others)
                other.Close(IkeCloseReason.PeerRestarted, now);
        }
        // RFC 6023: an IKE SA may come without a child SA.
        if (request.SecurityAssociation is not null && AddressAssignment.TryAssign(sa, request, response)
            && ChildAnswer.Make(sa, request, null, (transcript.InitiatorNonce, transcript.ResponderNonce), isAuthExchange: true, response, now) is { } agreed)
        {
            using (agreed)
                ChildLifecycle.Activate(agreed.Install(sa, []));
        }
        sa.Host.OnEstablished(sa, now);
    }

    /// <summary>Zeroes what an unfinished EAP conversation holds.</summary>
    public void Dispose() => _eap?.Dispose();

    /// <summary>Says no, and ends the IKE SA.</summary>
    /// <param name="sa">The IKE SA.</param>
    /// <param name="remoteId">Who the peer says to be.</param>
    /// <param name="reason">For people; empty where that was said already.</param>
    /// <param name="response">Takes the notification.</param>
    /// <param name="connection">The connection that it asked for, where that is known.</param>
    private static void Refuse(IkeSa sa, IkeIdentity? remoteId, string reason, List<IIkePayload> response, IkeConnection? connection = null)
    {
        // RFC 7296 §2.21.2: whatever it was, the peer learns only that.
        response.Add(new NotifyPayload(NotifyType.AuthenticationFailed));
        if (reason.Length != 0)
            sa.Host.Emit(new PeerRefused(sa.Path.Remote, remoteId, reason) { Connection = connection?.Name });
        sa.Intake.CloseAfterResponse(IkeCloseReason.ProtocolError);
    }
}
