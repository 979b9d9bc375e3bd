using System.Net;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// What comes in for one IKE SA: which datagrams are looked at, which of them are authentic, and who answers. Nothing of a message counts before
/// its ICV is right.
/// </summary>
internal sealed class MessageIntake(IkeSa sa)
{
    private readonly ResponseWindow _window = new();
    private IkeCloseReason? _closeAfterResponse;

    /// <summary>Whether a request was answered, which may be repeated because the answer was lost.</summary>
    public bool HasAnswered => _window.Last.Count != 0;

    /// <summary>IKE_SA_INIT was answered in the clear: IKE_AUTH comes with message ID 1.</summary>
    public void InitAnswered(byte[] response) => _window.Answered([response]);

    /// <summary>The response to the request in hand is the last thing that is said.</summary>
    public void CloseAfterResponse(IkeCloseReason reason) => _closeAfterResponse = reason;

    /// <summary>A datagram of this IKE SA came in.</summary>
    public void Handle(IPEndPoint local, IPEndPoint remote, in IkeHeader header, ReadOnlySpan<byte> message, long now)
    {
        if (header.Exchange == ExchangeType.IkeSaInit)
        {
            if (header.IsResponse && sa.Exchanges.IsAwaited(header) && sa.Exchanges.Outstanding!.Exchange is InitExchange init)
                init.HandleMessage(sa, local, remote, header, message, now);
            sa.Host.Schedule(sa);
            return;
        }
        if (sa.Channel is not { } channel || (sa.IsInitiator ? header.ResponderSpi : header.InitiatorSpi) != sa.RemoteSpi)
            return;
        // RFC 7296 §2.11: an answer goes to where the request came from.
        PeerPath back = sa.Path with { Local = local, Remote = remote };
        if (!header.IsResponse && _window.IsRepeated(header.MessageId))
        {
            // A request that has changed the keys comes again under those that it came under.
            if ((sa.PreviousChannel ?? channel).IsRepeat(header, message))
            {
                sa.NoteRepeat(now);
                sa.Host.Schedule(sa);
                Send(_window.Last, back);
            }
            return;
        }
        if (header.IsResponse ? !sa.Exchanges.IsAwaited(header) : header.MessageId != _window.Expected)
            return;
        if (channel.Open(header, message, now, out PayloadType first, out byte[] content) != OpenStatus.Opened)
        {
            sa.Host.Schedule(sa);
            return;
        }
        sa.NoteInbound(now);
        if (sa.State == IkeSaState.Closed)
            return;
        if (!header.IsResponse)
            sa.ForgetPreviousChannel();
        if (header.Exchange == ExchangeType.IkeIntermediate)
            sa.Intermediate?.Cover(header.FromInitiator, sa.Keys!, IntermediateOctets.OfReceived(header, message, first, content));
        FollowPeer(back);
        IkeParseResult result = IkePayloads.Parse(first, content, out IkePayloads payloads);
        if (header.IsResponse)
            HandleResponse(result, payloads, now);
        else
            HandleRequest(header, result, payloads, back, now);
        sa.Exchanges.Pump(now);
        sa.Host.Schedule(sa);
    }

    private void HandleResponse(IkeParseResult result, IkePayloads payloads, long now)
    {
        Exchange exchange = sa.Exchanges.TakeAnswered();
        if (!result.IsOk)
        {
            // RFC 7296 §2.21: there is no answer to an answer. A peer whose authentic messages make no sense cannot be spoken to.
            exchange.Abandon(sa);
            if (sa.State == IkeSaState.Authenticating)
                sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, null, $"{sa.Path.Remote} answers with a malformed message ({result.Error})"));
            sa.Close(IkeCloseReason.ProtocolError, now);
        }
        else if (sa.State == IkeSaState.Deleting && exchange is not DeleteIkeExchange)
        {
            exchange.Abandon(sa);
        }
        else
        {
            exchange.HandleResponse(sa, payloads, now);
        }
    }

    private void HandleRequest(in IkeHeader header, IkeParseResult result, IkePayloads payloads, PeerPath back, long now)
    {
        List<IIkePayload> response = [];
        sa.NoteNewRequest(result.IsOk && InformationalResponder.DeletesIkeSa(payloads), now);
        if (!result.IsOk)
        {
            // RFC 7296 §2.21.3: an unknown critical payload is refused; what is malformed ends the IKE SA.
            if (result.ToNotify() is { } notify)
                response.Add(notify);
            if (result.Error != IkeParseError.UnsupportedCriticalPayload || sa.State != IkeSaState.Established)
                CloseAfterResponse(IkeCloseReason.ProtocolError);
        }
        else if (header.Exchange == ExchangeType.IkeAuth && sa.Authentication is { } authentication)
        {
            authentication.HandleRequest(sa, payloads, response, now);
        }
        else if (header.Exchange == ExchangeType.IkeIntermediate && sa.Intermediate is { } phase)
        {
            IntermediateResponder.HandleRequest(sa, phase, payloads, response);
        }
        else if (header.Exchange == ExchangeType.Informational && sa.Authentication is not null && InformationalResponder.GivesUp(payloads))
        {
            CloseAfterResponse(IkeCloseReason.ProtocolError);
        }
        else if (!sa.HasAuthenticated)
        {
            // Nothing else is answered before both sides have authenticated; the peer says it again.
            return;
        }
        else if (header.Exchange == ExchangeType.CreateChildSa)
        {
            CreateChildResponder.HandleRequest(sa, payloads, response, now);
        }
        else if (header.Exchange == ExchangeType.IkeFollowupKe)
        {
            FollowUpResponder.HandleRequest(sa, payloads, response, now);
        }
        else if (header.Exchange == ExchangeType.Informational)
        {
            InformationalResponder.HandleRequest(sa, payloads, back, response, now);
        }
        else
        {
            // An exchange that there is not, or not any more. RFC 7296 §3.10.1: INVALID_SYNTAX for any error that has no number of its own, which
            // ends the IKE SA on both sides (§2.21.3). Without an answer the peer would find us dead, only later.
            response.Add(new NotifyPayload(NotifyType.InvalidSyntax));
            CloseAfterResponse(IkeCloseReason.ProtocolError);
        }
        IReadOnlyList<byte[]> messages = sa.Seal(header.Exchange, isResponse: true, header.MessageId, response);
        _window.Answered(messages);
        sa.AdvanceKeys(keepForRepeats: true);
        sa.NoteOutbound(now);
        Send(messages, back);
        if (_closeAfterResponse is { } reason)
            sa.Close(reason, now);
    }

    /// <summary>Goes on where the peer's newest authentic message came from, where that is the peer's right.</summary>
    private void FollowPeer(PeerPath newest)
    {
        if (newest.SameWay(sa.Path))
            return;
        // The initiator changes to port 4500 with IKE_AUTH (RFC 7296 §2.23). Later only a NAT that forgot its mapping moves a peer, unless
        // the peer says itself that it has moved (RFC 4555 §3.8).
        bool mayMove = sa.IsHalfOpen || (sa.Path.RemoteBehindNat && !sa.Peer.Mobike);
        if (mayMove)
            sa.Move(newest);
    }

    private void Send(IReadOnlyList<byte[]> messages, PeerPath path)
    {
        foreach (byte[] message in messages)
            sa.Host.Send(path, message);
    }
}
