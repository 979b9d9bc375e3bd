using System.Net;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>IKE_SA_INIT as initiator (RFC 7296 §1.2): in the clear, so that whatever the answer says may be somebody else's.</summary>
internal sealed class InitExchange : Exchange
{
    /// <summary>
    /// How often an answer may ask for another request (a cookie, another key exchange): as often as an honest peer could.
    /// </summary>
    private const int MaxRestarts = 4;

    /// <summary>RFC 7296 §2.6: a cookie has 1 to 64 bytes.</summary>
    private const int MaxCookieSize = 64;

    private readonly IkeConnection _connection;
    private readonly byte[] _nonce;
    private IkeKeyExchange _keyExchange;
    private readonly byte[]? _spoiltSource;
    private byte[]? _cookie;
    private byte[] _message = [];
    private int _restarts;

    public InitExchange(SessionHost host, IkeConnection connection)
    {
        _connection = connection;
        _nonce = Nonce.Create(host.Options.Randomness);
        _keyExchange = new IkeKeyExchange(connection.Proposals[0].KeyExchange);
        if (connection.ForceEncapsulation)
            _spoiltSource = host.RandomBytes(20);
    }

    public override ExchangeType Type => ExchangeType.IkeSaInit;

    private bool IsIntermediateWanted => _connection.Proposals.Any(suite => !suite.Additional.IsEmpty);

    /// <summary>Sends the request.</summary>
    public void Start(IkeSa sa, long now)
    {
        IkeWriter writer = new IkeWriter().Begin(new IkeHeader(sa.LocalSpi, 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Initiator, 0));
        // RFC 7296 §2.6: a cookie is the first payload, and all others stay as they were.
        if (_cookie is not null)
            writer.Add(new NotifyPayload(NotifyType.Cookie, _cookie));
        writer.Add(IkeProposals.Offer(_connection.Proposals, []));
        writer.Add(new KeyExchangePayload((ushort)_keyExchange.Method, _keyExchange.PublicValue.ToArray()));
        writer.Add(new NoncePayload(_nonce));
        foreach (NotifyPayload notify in NatDetection.Notifications(sa.LocalSpi, 0, sa.Path.Local, sa.Path.Remote, _spoiltSource))
            writer.Add(notify);
        foreach (NotifyPayload notify in PeerCapabilities.InitNotifications(_connection, IsIntermediateWanted))
            writer.Add(notify);
        _message = writer.ToMessage();
        sa.Exchanges.StartInit(this, _message, now);
    }

    /// <summary>An answer came in, from whomever. What makes no sense is ignored: the right one may still come.</summary>
    public void HandleMessage(IkeSa sa, IPEndPoint local, IPEndPoint remote, in IkeHeader header, ReadOnlySpan<byte> message, long now)
    {
        if (header.FromInitiator || !IkePayloads.Parse(header.NextPayload, message[IkeHeader.Size..], out IkePayloads payloads).IsOk)
            return;
        if (payloads.SecurityAssociation is { } answer && payloads.KeyExchange is { } key && payloads.Nonce is { } nonce)
        {
            Finish(sa, new PeerPath(local, remote), header, message, payloads, answer, key, nonce, now);
            return;
        }
        if (payloads.Find(NotifyType.Cookie) is { } cookie)
        {
            if (cookie.Data.Length is > 0 and <= MaxCookieSize && _restarts++ < MaxRestarts)
            {
                _cookie = cookie.Data;
                Start(sa, now);
            }
            return;
        }
        if (payloads.Find(NotifyType.InvalidKePayload) is { } invalid && invalid.TryGetKeyExchangeMethod(out ushort method))
        {
            // RFC 7296 §2.7: only a method that was offered, lest somebody talks us into a weaker one.
            IkeSuite? suite = _connection.Proposals.FirstOrDefault(suite => (ushort)suite.KeyExchange == method);
            if (suite is not null && suite.KeyExchange != _keyExchange.Method && _restarts++ < MaxRestarts)
            {
                _keyExchange.Dispose();
                _keyExchange = new IkeKeyExchange(suite.KeyExchange);
                Start(sa, now);
            }
            return;
        }
        if (payloads.FindError() is { } error)
            Fail(sa, $"{sa.Path.Remote} answers {error.NotifyType}", now);
    }

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now) =>
        throw new InvalidOperationException("IKE_SA_INIT is sent in the clear, by Start.");

    public override void HandleResponse(IkeSa sa, IkePayloads response, long now) =>
        throw new InvalidOperationException("IKE_SA_INIT is answered in the clear, to HandleMessage.");

    public override void Abandon(IkeSa sa) => _keyExchange.Dispose();

    private void Finish(
        IkeSa sa, PeerPath came, in IkeHeader header, ReadOnlySpan<byte> message, IkePayloads payloads, SecurityAssociationPayload answer,
        KeyExchangePayload key, NoncePayload nonce, long now)
    {
        ChosenProposal<IkeSuite>? chosen = IkeProposals.Accept(_connection.Proposals, answer, isRekey: false);
        if (chosen is null || header.ResponderSpi == 0 || chosen.Suite.KeyExchange != _keyExchange.Method || key.Method != (ushort)_keyExchange.Method
            || !Nonce.IsLongEnough(nonce.Value, chosen.Suite.Prf)
            // RFC 9370 §2.2.1: who does not speak IKE_INTERMEDIATE cannot have chosen what needs it.
            || (!chosen.Suite.Additional.IsEmpty && !PeerCapabilities.SpeaksIntermediate(payloads)))
            return;
        using SecretBytes? secret = _keyExchange.Finish(key.PublicValue);
        if (secret is null)
            return;
        sa.RemoteSpi = header.ResponderSpi;
        sa.SetKeys(IkeKeys.Derive(chosen.Suite, secret, _nonce, nonce.Value, sa.LocalSpi, sa.RemoteSpi));
        sa.Transcript = new InitTranscript(_message, message.ToArray(), _nonce, nonce.Value);
        sa.Peer.ReadInit(payloads);
        sa.EnableFragments(_connection);
        if (IsIntermediateWanted && sa.Peer.Intermediate)
            sa.Intermediate = new IntermediatePhase(chosen.Suite.Additional);
        (bool supported, bool localNat, bool remoteNat) = NatDetection.Evaluate(header, payloads, came.Local, came.Remote);
        PeerPath path = came with { LocalBehindNat = localNat || (supported && _connection.ForceEncapsulation), RemoteBehindNat = remoteNat };
        // RFC 7296 §2.23: where there is a NAT, everything goes by port 4500 from IKE_AUTH on.
        sa.Move(path.UdpEncapsulation ? path.Float() : path);
        sa.BeginAuthentication();
        sa.Exchanges.TakeAnswered();
        _keyExchange.Dispose();
        sa.Begin(IntermediateExchange.Next(sa), now);
    }

    private void Fail(IkeSa sa, string reason, long now)
    {
        sa.Host.Emit(new InitiationFailed(_connection.Name, null, reason));
        sa.Close(IkeCloseReason.ProtocolError, now);
    }
}
