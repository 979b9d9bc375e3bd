using System.Net;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.RemoteAccess;
using CryptoPlane.Ike.KeyLog;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// One IKE SA: keys, the two message windows, child SAs and timers. What is said within it is in <c>Requests</c> (exchanges that we
/// begin) and <c>Responses</c> (those that the peer begins), a file for each.
/// </summary>
internal sealed class IkeSa : IDisposable
{
    /// <summary>How long a closed one still answers a repeated request, and a replaced one waits to be deleted; in milliseconds.</summary>
    private const long CloseLinger = 20_000, ReplacedWait = 60_000;

    private readonly ResponseWindow _window = new();
    private SecureChannel? _channel;
    private IkeCloseReason? _closeAfterResponse;
    private long _lingerUntil = long.MaxValue;
    private long _lastInbound, _lastOutbound;
    private bool _wasReported;

    public IkeSa(SessionHost host, bool isInitiator, ulong localSpi, PeerPath path, long now)
    {
        Host = host;
        IsInitiator = isInitiator;
        LocalSpi = localSpi;
        Path = path;
        State = isInitiator ? IkeSaState.Initiating : IkeSaState.Responding;
        Exchanges = new ExchangeQueue(this);
        _lastInbound = _lastOutbound = now;
    }

    public SessionHost Host { get; }

    /// <summary>
    /// Whether we began it; after a rekey: whether we began that. It decides the keys and the flag in the header (RFC 7296 §2.2, §2.18).
    /// </summary>
    public bool IsInitiator { get; }

    public ulong LocalSpi { get; }

    /// <summary>The peer's SPI; 0 until IKE_SA_INIT is answered.</summary>
    public ulong RemoteSpi { get; set; }

    public IkeSaState State { get; private set; }

    public PeerPath Path { get; private set; }

    public IkeKeys? Keys { get; private set; }

    /// <summary>The connection whose peer this is. A responder knows it when the peer has said who it is.</summary>
    public IkeConnection? Connection { get; set; }

    /// <summary>Who the peer is, as far as it has shown.</summary>
    public IkeIdentity? RemoteId { get; private set; }

    public PeerCapabilities Peer { get; } = new();

    public ExchangeQueue Exchanges { get; }

    public ChildTable Children { get; } = new();

    /// <summary>The messages and nonces of IKE_SA_INIT, until both sides have authenticated.</summary>
    public InitTranscript? Transcript { get; set; }

    /// <summary>The peer's side of IKE_AUTH, while it goes on.</summary>
    public AuthResponder? Authentication { get; set; }

    /// <summary>The inner addresses of a remote user, until it is gone (RFC 7296 §2.19).</summary>
    public ConfigurationLease? Lease { get; set; }

    /// <summary>Of which children the peer wants no more SAs for single lcores (RFC 9611 §4, TS_MAX_QUEUE).</summary>
    public HashSet<IkeChild> RefusedResources { get; } = [];

    public long EstablishedAt { get; private set; }

    /// <summary>When we rekey it; <see cref="long.MaxValue"/>: not planned, or on its way.</summary>
    public long RekeyAt { get; set; } = long.MaxValue;

    /// <summary>When it is deleted.</summary>
    public long ExpireAt { get; private set; } = long.MaxValue;

    /// <summary>Where its timer stands in the endpoint's queue.</summary>
    public long ScheduledAt { get; set; } = long.MaxValue;

    /// <summary>Whether a peer that has not authenticated holds it.</summary>
    public bool IsHalfOpen => !IsInitiator && State is (IkeSaState.Responding or IkeSaState.Authenticating);

    /// <summary>Whether both sides have authenticated, and it is not gone yet.</summary>
    private bool HasAuthenticated => State is IkeSaState.Established or IkeSaState.Replaced or IkeSaState.Deleting;

    /// <summary>The next thing that time brings.</summary>
    public long NextTimeout
    {
        get
        {
            if (State == IkeSaState.Closed)
                return _lingerUntil;
            long next = Math.Min(Math.Min(Exchanges.NextTimeout, _channel?.NextTimeout ?? long.MaxValue), ExpireAt);
            if (State == IkeSaState.Established)
            {
                next = Math.Min(next, Math.Min(RekeyAt, Children.NextTimeout));
                if (Exchanges.IsIdle && Connection!.DeadPeerDelay != 0)
                    next = Math.Min(next, _lastInbound + Connection.DeadPeerDelay);
                if (Path.LocalBehindNat)
                    next = Math.Min(next, _lastOutbound + Host.Options.NatKeepaliveDelay);
            }
            return next;
        }
    }

    /// <summary>Takes the keys that IKE_SA_INIT, or the rekey of another IKE SA, has made.</summary>
    public void SetKeys(IkeKeys keys)
    {
        Keys = keys;
        _channel = new SecureChannel(Host.Engine, keys, IsInitiator);
        (ulong initiator, ulong responder) = IsInitiator ? (LocalSpi, RemoteSpi) : (RemoteSpi, LocalSpi);
        Host.Options.KeyLog?.Invoke(IkeKeyLogLine.Create(keys, initiator, responder));
    }

    /// <summary>Sends and takes fragments from now on, where both sides can (RFC 7383 §2.3).</summary>
    public void EnableFragments(IkeConnection connection) => _channel!.FragmentSize = Peer.Fragmentation ? connection.FragmentSize : 0;

    /// <summary>IKE_SA_INIT is over: the sides show who they are.</summary>
    public void BeginAuthentication() => State = IkeSaState.Authenticating;

    /// <summary>IKE_SA_INIT was answered in the clear: IKE_AUTH comes with message ID 1.</summary>
    public void InitAnswered(byte[] response) => _window.Answered([response]);

    /// <summary>Both sides have authenticated.</summary>
    public void Establish(IkeConnection connection, IkeIdentity remoteId, ulong? replaces, long now)
    {
        Connection = connection;
        RemoteId = remoteId;
        State = IkeSaState.Established;
        EstablishedAt = now;
        RekeyAt = Host.RekeyTime(connection.Lifetime, now);
        ExpireAt = now + connection.Lifetime.ExpireAfter;
        _lastInbound = now;
        _wasReported = true;
        Transcript = null;
        EndAuthentication();
        Host.Emit(new IkeSaEstablished(LocalSpi, connection.Name, remoteId, Path.Local, Path.Remote, replaces));
    }

    /// <summary>A datagram of this IKE SA came in.</summary>
    public void HandleMessage(IPEndPoint local, IPEndPoint remote, in IkeHeader header, ReadOnlySpan<byte> message, long now)
    {
        if (header.Exchange == ExchangeType.IkeSaInit)
        {
            if (header.IsResponse && Exchanges.IsAwaited(header) && Exchanges.Outstanding!.Exchange is InitExchange init)
                init.HandleMessage(this, local, remote, header, message, now);
            Host.Schedule(this);
            return;
        }
        if (_channel is null || (IsInitiator ? header.ResponderSpi : header.InitiatorSpi) != RemoteSpi)
            return;
        bool isRepeated = !header.IsResponse && _window.IsRepeated(header.MessageId);
        if (header.IsResponse ? !Exchanges.IsAwaited(header) : !isRepeated && header.MessageId != _window.Expected)
            return;
        if (_channel.Open(header, message, now, out PayloadType first, out byte[] content) != OpenStatus.Opened)
        {
            Host.Schedule(this);
            return;
        }
        _lastInbound = Math.Max(_lastInbound, now);
        // RFC 7296 §2.11: an answer goes to where the request came from.
        PeerPath back = Path with { Local = local, Remote = remote };
        if (isRepeated)
        {
            foreach (byte[] response in _window.Last)
                Host.Send(back, response);
            return;
        }
        if (State == IkeSaState.Closed)
            return;
        FollowPeer(back);
        IkeParseResult result = IkePayloads.Parse(first, content, out IkePayloads payloads);
        if (header.IsResponse)
            HandleResponse(result, payloads, now);
        else
            HandleRequest(header, result, payloads, back, now);
        Exchanges.Pump(now);
        Host.Schedule(this);
    }

    /// <summary>Time has passed.</summary>
    public void HandleTimeout(long now)
    {
        if (State == IkeSaState.Closed)
        {
            if (now >= _lingerUntil)
                Host.Remove(this);
            return;
        }
        _channel?.HandleTimeout(now);
        if (!Exchanges.HandleTimeout(now))
        {
            if (State is IkeSaState.Initiating or IkeSaState.Authenticating)
                Host.Emit(new InitiationFailed(Connection!.Name, null, $"{Path.Remote} does not answer"));
            Close(IkeCloseReason.PeerDead, now);
            return;
        }
        if (now >= ExpireAt)
        {
            BeginDelete(State == IkeSaState.Replaced ? IkeCloseReason.Rekeyed : IkeCloseReason.Expired, now);
        }
        else if (State == IkeSaState.Established)
        {
            foreach (ChildSa child in Children.Snapshot())
                ChildLifecycle.HandleTimeout(child, now);
            if (now >= RekeyAt)
                BeginRekey();
            if (Exchanges.IsIdle && Connection!.DeadPeerDelay != 0 && now >= _lastInbound + Connection.DeadPeerDelay)
                Exchanges.Enqueue(new LivenessExchange());
            if (Path.LocalBehindNat && now >= _lastOutbound + Host.Options.NatKeepaliveDelay)
            {
                Host.SendKeepalive(Path);
                _lastOutbound = now;
            }
        }
        Exchanges.Pump(now);
    }

    /// <summary>ESP came in on one of its child SAs.</summary>
    public void HandleTraffic(ChildSa child, long lastInbound)
    {
        _lastInbound = Math.Max(_lastInbound, lastInbound);
        // RFC 7296 §2.8: whoever answered a rekey may send on the new SA when the peer does.
        ChildLifecycle.Activate(child);
        Host.Schedule(this);
    }

    /// <summary>Begins to replace it, unless that is on its way.</summary>
    public void BeginRekey()
    {
        RekeyAt = long.MaxValue;
        if (!Exchanges.Has<RekeyIkeExchange>(_ => true))
            Exchanges.Enqueue(new RekeyIkeExchange());
    }

    /// <summary>Begins an exchange, at once or when those before it are answered.</summary>
    public void Begin(Exchange exchange, long now)
    {
        Exchanges.Enqueue(exchange);
        Exchanges.Pump(now);
        Host.Schedule(this);
    }

    /// <summary>Seals a message of this IKE SA.</summary>
    public IReadOnlyList<byte[]> Seal(ExchangeType type, bool isResponse, uint messageId, List<IIkePayload> payloads)
    {
        IkeHeaderFlags flags = (IsInitiator ? IkeHeaderFlags.Initiator : 0) | (isResponse ? IkeHeaderFlags.Response : 0);
        (ulong initiator, ulong responder) = IsInitiator ? (LocalSpi, RemoteSpi) : (RemoteSpi, LocalSpi);
        return _channel!.Seal(new IkeHeader(initiator, responder, type, flags, messageId), payloads, Path.Local);
    }

    /// <summary>Sends datagrams to the peer.</summary>
    public void Transmit(IReadOnlyList<byte[]> messages, long now)
    {
        _lastOutbound = now;
        foreach (byte[] message in messages)
            Host.Send(Path, message);
    }

    /// <summary>The peer, or we, are reached by other addresses or ports from now on.</summary>
    public void Move(PeerPath path)
    {
        bool moved = !path.SameWay(Path) || path.UdpEncapsulation != Path.UdpEncapsulation;
        Path = path;
        if (moved && _wasReported)
            Host.Emit(new PeerMoved(LocalSpi, [.. Children.Snapshot().Select(child => child.Id)], path.Local, path.Remote, path.UdpEncapsulation));
    }

    /// <summary>
    /// Another IKE SA takes the place of this one: it inherits the child SAs and what waits for its turn (RFC 7296 §2.8).
    /// </summary>
    public void ReplaceBy(IkeSa successor, long now)
    {
        State = IkeSaState.Replaced;
        RekeyAt = long.MaxValue;
        ExpireAt = now + ReplacedWait;
        foreach (ChildSa child in Children.Snapshot())
        {
            Children.Remove(child);
            successor.Children.Add(child);
            child.Parent = successor;
        }
        Exchanges.MoveWaitingTo(successor.Exchanges);
        (successor.Lease, Lease) = (Lease, null);
        successor.Peer.CopyFrom(Peer);
        successor.EnableFragments(Connection!);
        successor.Establish(Connection!, RemoteId!, LocalSpi, now);
        Host.OnEstablished(successor, now);
        Host.Schedule(successor);
    }

    /// <summary>The peer shall delete it too: tells it so. Its child SAs are gone at once.</summary>
    public void BeginDelete(IkeCloseReason reason, long now)
    {
        if (State is IkeSaState.Initiating or IkeSaState.Responding or IkeSaState.Authenticating)
        {
            Close(reason, now);
            return;
        }
        if (State is not (IkeSaState.Established or IkeSaState.Replaced))
            return;
        State = IkeSaState.Deleting;
        ExpireAt = RekeyAt = long.MaxValue;
        Exchanges.AbandonWaiting();
        ReportClosed(reason, now);
        Begin(new DeleteIkeExchange(reason, isRejection: false), now);
    }

    /// <summary>The peer, who answered our IKE_AUTH, is not who it should be: it is told, and that is all.</summary>
    public void RejectPeer(long now)
    {
        State = IkeSaState.Deleting;
        Host.OnClosed(this, IkeCloseReason.ProtocolError, now);
        Begin(new DeleteIkeExchange(IkeCloseReason.ProtocolError, isRejection: true), now);
    }

    /// <summary>
    /// A rekey has made it, but whether it or another one takes the place of the old IKE SA is not decided (RFC 7296 §2.8.2).
    /// </summary>
    public void AwaitDecision(long now)
    {
        State = IkeSaState.Replaced;
        ExpireAt = now + ReplacedWait;
    }

    /// <summary>The response to the request in hand is the last thing that is said.</summary>
    public void CloseAfterResponse(IkeCloseReason reason) => _closeAfterResponse = reason;

    /// <summary>It is gone. For a while it still answers a request that is repeated because our answer was lost.</summary>
    public void Close(IkeCloseReason reason, long now)
    {
        if (State == IkeSaState.Closed)
            return;
        bool wasInitiating = IsInitiator && State is (IkeSaState.Initiating or IkeSaState.Authenticating);
        ReportClosed(reason, now);
        State = IkeSaState.Closed;
        Exchanges.AbandonAll();
        Transcript = null;
        EndAuthentication();
        if (wasInitiating)
            Host.OnClosed(this, reason, now);
        if (_window.Last.Count != 0 && reason != IkeCloseReason.PeerDead)
            _lingerUntil = now + CloseLinger;
        else
            Host.Remove(this);
        Host.Schedule(this);
    }

    public IkeSaReport Report() =>
        new(LocalSpi, RemoteSpi, Connection?.Name, RemoteId, State, IsInitiator, Path.Local, Path.Remote, Path.UdpEncapsulation, Keys?.Suite, EstablishedAt,
            RekeyAt, [.. Children.Snapshot().Select(child => child.Report())]);

    /// <summary>Zeroes the keys.</summary>
    public void Dispose()
    {
        Exchanges.AbandonAll();
        EndAuthentication();
        Lease?.Dispose();
        _channel?.Dispose();
        Keys?.Dispose();
    }

    private void HandleResponse(IkeParseResult result, IkePayloads payloads, long now)
    {
        Exchange exchange = Exchanges.TakeAnswered();
        if (!result.IsOk)
        {
            // RFC 7296 §2.21: there is no answer to an answer. A peer whose authentic messages make no sense cannot be spoken to.
            exchange.Abandon(this);
            if (State == IkeSaState.Authenticating)
                Host.Emit(new InitiationFailed(Connection!.Name, null, $"{Path.Remote} answers with a malformed message ({result.Error})"));
            Close(IkeCloseReason.ProtocolError, now);
        }
        else if (State == IkeSaState.Deleting && exchange is not DeleteIkeExchange)
        {
            exchange.Abandon(this);
        }
        else
        {
            exchange.HandleResponse(this, payloads, now);
        }
    }

    private void HandleRequest(in IkeHeader header, IkeParseResult result, IkePayloads payloads, PeerPath back, long now)
    {
        List<IIkePayload> response = [];
        if (!result.IsOk)
        {
            // RFC 7296 §2.21.3: an unknown critical payload is refused; what is malformed ends the IKE SA.
            if (result.ToNotify() is { } notify)
                response.Add(notify);
            if (result.Error != IkeParseError.UnsupportedCriticalPayload || State != IkeSaState.Established)
                CloseAfterResponse(IkeCloseReason.ProtocolError);
        }
        else if (header.Exchange == ExchangeType.IkeAuth && Authentication is { } authentication)
        {
            authentication.HandleRequest(this, payloads, response, now);
        }
        else if (header.Exchange == ExchangeType.Informational && Authentication is not null && InformationalResponder.GivesUp(payloads))
        {
            CloseAfterResponse(IkeCloseReason.ProtocolError);
        }
        else if (header.Exchange == ExchangeType.CreateChildSa && HasAuthenticated)
        {
            CreateChildResponder.HandleRequest(this, payloads, response, now);
        }
        else if (header.Exchange == ExchangeType.Informational && HasAuthenticated)
        {
            InformationalResponder.HandleRequest(this, payloads, back, response, now);
        }
        else
        {
            // Nothing is answered before both sides have authenticated; the peer says it again.
            return;
        }
        IReadOnlyList<byte[]> messages = Seal(header.Exchange, isResponse: true, header.MessageId, response);
        _window.Answered(messages);
        _lastOutbound = now;
        foreach (byte[] message in messages)
            Host.Send(back, message);
        if (_closeAfterResponse is { } reason)
            Close(reason, now);
    }

    /// <summary>Goes on where the peer's newest authentic message came from, where that is the peer's right.</summary>
    private void FollowPeer(PeerPath newest)
    {
        if (newest.SameWay(Path))
            return;
        // The initiator changes to port 4500 with IKE_AUTH (RFC 7296 §2.23). Later only a NAT that forgot its mapping moves a peer, unless
        // the peer says itself that it has moved (RFC 4555 §3.8).
        bool mayMove = IsHalfOpen || (Path.RemoteBehindNat && !Peer.Mobike);
        if (mayMove)
            Move(newest);
    }

    private void EndAuthentication()
    {
        Authentication?.Dispose();
        Authentication = null;
    }

    private void ReportClosed(IkeCloseReason reason, long now)
    {
        foreach (ChildSa child in Children.Snapshot())
            ChildLifecycle.Drop(child);
        // Nothing is sent to the addresses any more, so another user may have them.
        Lease?.Dispose();
        Lease = null;
        if (!_wasReported)
            return;
        _wasReported = false;
        Host.Emit(new IkeSaClosed(LocalSpi, Connection!.Name, reason));
        Host.OnClosed(this, reason, now);
    }
}
