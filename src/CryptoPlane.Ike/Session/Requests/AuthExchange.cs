using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>IKE_AUTH as initiator (RFC 7296 §1.2): who we are, who we think the peer is, and the first child SA.</summary>
internal sealed class AuthExchange : Exchange
{
    private ChildOffer? _offer;

    public override ExchangeType Type => ExchangeType.IkeAuth;

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        IkeConnection connection = sa.Connection!;
        IdentificationPayload identity =
            IdentificationPayload.Create(PayloadType.IdentificationInitiator, (byte)connection.LocalId.Type, connection.LocalId.Data.Span);
        request.Add(identity);
        // RFC 7296 §2.4: we know of no other IKE SA with this peer, so whatever it still has is of a former life of ours.
        if (connection.RemoteId.Exact is { } remoteId && !sa.Host.FindPeer(connection, remoteId).Any())
            request.Add(new NotifyPayload(NotifyType.InitialContact));
        if (connection.RemoteId.Exact is { } expected)
            request.Add(IdentificationPayload.Create(PayloadType.IdentificationResponder, (byte)expected.Type, expected.Data.Span));
        if (connection.RemoteAuthentication is IkeCertificateTrust trust)
            request.Add(CertificatePayloads.Request(trust.Roots));
        if (!Authenticator.TrySign(sa, connection, identity, request))
        {
            sa.Host.Emit(new InitiationFailed(connection.Name, null, $"{sa.Path.Remote} takes no signature that our key can make"));
            sa.Close(IkeCloseReason.ProtocolError, now);
            return false;
        }
        ChildOffer offer = new(ChildRequest.Common(connection, connection.Children[0]), isAuthExchange: true);
        if (offer.TryAllocate(sa))
        {
            _offer = offer;
            offer.Write(request, nonce: null, keyExchange: null);
        }
        return true;
    }

    public override void HandleResponse(IkeSa sa, IkePayloads response, long now)
    {
        IkeConnection connection = sa.Connection!;
        if (!Authenticate(sa, connection, response, out IkeIdentity? remoteId, out string failure))
        {
            Abandon(sa);
            sa.Host.Emit(new InitiationFailed(connection.Name, null, $"{sa.Path.Remote}: {failure}"));
            // RFC 7296 §2.21.2: the peer believes that all is well, unless it refused us itself.
            if (response.Authentication is null)
                sa.Close(IkeCloseReason.ProtocolError, now);
            else
                sa.RejectPeer(now);
            return;
        }
        InitTranscript transcript = sa.Transcript!;
        sa.Establish(connection, remoteId!, replaces: null, now);
        if (_offer is { } offer && response.SecurityAssociation is not null)
        {
            ChildSaId id = offer.Id;
            using AgreedChild? agreed = offer.Accept(sa, response, (transcript.InitiatorNonce, transcript.ResponderNonce), keyExchange: null, now, out failure);
            if (agreed is not null)
                ChildLifecycle.Activate(offer.Install(sa, agreed, []));
            else
                ChildExchange.Disown(sa, connection.Children[0], id, failure);
        }
        else
        {
            // RFC 7296 §1.2: the IKE SA is there all the same.
            Abandon(sa);
            string reason = response.FindError()?.NotifyType.ToString() ?? "the peer did not answer the offer";
            sa.Host.Emit(new InitiationFailed(connection.Name, connection.Children[0].Name, reason));
        }
        sa.Host.OnEstablished(sa, now);
    }

    public override void Abandon(IkeSa sa)
    {
        _offer?.Release(sa.Host);
        _offer = null;
    }

    private static bool Authenticate(IkeSa sa, IkeConnection connection, IkePayloads response, out IkeIdentity? remoteId, out string failure)
    {
        remoteId = null;
        if (response.Responder is not { } identity)
        {
            failure = response.FindError() is { } error ? $"the peer answers {error.NotifyType}" : "the peer does not say who it is";
            return false;
        }
        if (!IkeIdentity.TryCreate((IkeIdentityType)identity.IdentificationType, identity.Data, out remoteId))
        {
            failure = "the peer says to be nobody that can be named";
            return false;
        }
        return Authenticator.Verify(sa, connection, identity, remoteId, response, out failure);
    }
}
