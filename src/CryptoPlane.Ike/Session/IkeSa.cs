using System.Net;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.RemoteAccess;
using CryptoPlane.Ike.KeyLog;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// One IKE SA: its life from the first message to the last, keys, child SAs and timers. What we begin waits in its <see cref="ExchangeQueue"/>, what
/// the peer says comes in by its <see cref="MessageIntake"/>; what is said is in <c>Requests</c> (exchanges that we begin) and <c>Responses</c>
/// (those that the peer begins), a file for each.
/// </summary>
internal sealed partial class IkeSa : IDisposable
{
    /// <summary>How long a closed one still answers a repeated request, and a replaced one waits to be deleted; in milliseconds.</summary>
    private const long CloseLinger = 20_000, ReplacedWait = 60_000;

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
        Intake = new MessageIntake(this);
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

    /// <summary>What the peer says.</summary>
    public MessageIntake Intake { get; }

    /// <summary>Seals and opens messages, once there are keys.</summary>
    public SecureChannel? Channel { get; private set; }

    public ChildTable Children { get; } = new();

    /// <summary>The messages and nonces of IKE_SA_INIT, until both sides have authenticated.</summary>
    public InitTranscript? Transcript { get; set; }

    /// <summary>IKE_INTERMEDIATE, until both sides have authenticated; null: not with this peer.</summary>
    public IntermediatePhase? Intermediate { get; set; }

    /// <summary>
    /// What protected the last request and its answer, where they have changed the keys: for a request that is repeated because the answer was lost.
    /// </summary>
    public SecureChannel? PreviousChannel { get; private set; }

    /// <summary>What the peer has begun to make, and goes on with by IKE_FOLLOWUP_KE.</summary>
    public FollowUpTable FollowUps { get; } = new();

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
    public bool HasAuthenticated => State is IkeSaState.Established or IkeSaState.Replaced or IkeSaState.Deleting;

    /// <summary>
    /// After how many milliseconds of silence the peer is asked whether it lives; 0: never. A peer that does not have our answer to its rekey lives by
    /// the IKE SA that it rekeys.
    /// </summary>
    private long LivenessDelay => State switch
    {
        IkeSaState.Established when _predecessor is null => Connection!.DeadPeerDelay,
        IkeSaState.Replaced when AwaitsProof => Connection!.DeadPeerDelay,
        _ => 0,
    };

    /// <summary>The next thing that time brings.</summary>
    public long NextTimeout
    {
        get
        {
            if (State == IkeSaState.Closed)
                return _lingerUntil;
            long next = Math.Min(Math.Min(Exchanges.NextTimeout, Channel?.NextTimeout ?? long.MaxValue), ExpireAt);
            if (State == IkeSaState.Established)
            {
                next = Math.Min(next, Math.Min(FollowUps.NextTimeout, Math.Min(RekeyAt, Children.NextTimeout)));
                if (Path.LocalBehindNat)
                    next = Math.Min(next, _lastOutbound + Host.Options.NatKeepaliveDelay);
            }
            if (Exchanges.IsIdle && LivenessDelay is not 0 and long delay)
                next = Math.Min(next, _lastInbound + delay);
            return next;
        }
    }

    /// <summary>Takes the keys that IKE_SA_INIT, or the rekey of another IKE SA, has made.</summary>
    public void SetKeys(IkeKeys keys)
    {
        Keys = keys;
        Channel = new SecureChannel(Host.Engine, keys, IsInitiator);
        (ulong initiator, ulong responder) = IsInitiator ? (LocalSpi, RemoteSpi) : (RemoteSpi, LocalSpi);
        Host.Options.KeyLog?.Invoke(IkeKeyLogLine.Create(keys, initiator, responder));
    }

    /// <summary>The keys after a further key exchange (RFC 9370 §2.2.2).</summary>
    public IkeKeys AdvancedKeys(SecretBytes secret)
    {
        (ulong initiator, ulong responder) = IsInitiator ? (LocalSpi, RemoteSpi) : (RemoteSpi, LocalSpi);
        return Keys!.Advance(secret, Transcript!.InitiatorNonce, Transcript.ResponderNonce, initiator, responder);
    }

    /// <summary>The keys that IKE_INTERMEDIATE has made, if any, are in use from now on; those before are zeroed.</summary>
    /// <param name="keepForRepeats">Whether the peer may still repeat a request under the keys before.</param>
    public void AdvanceKeys(bool keepForRepeats)
    {
        if (Intermediate?.TakeNextKeys() is not { } next)
            return;
        (IkeKeys before, SecureChannel channel) = (Keys!, Channel!);
        SetKeys(next);
        Channel!.FragmentSize = channel.FragmentSize;
        before.Dispose();
        PreviousChannel = channel;
        if (!keepForRepeats)
            ForgetPreviousChannel();
    }

    /// <summary>The peer has gone on under the keys in use.</summary>
    public void ForgetPreviousChannel()
    {
        PreviousChannel?.Dispose();
        PreviousChannel = null;
    }

    /// <summary>Sends and takes fragments from now on, where both sides can (RFC 7383 §2.3).</summary>
    public void EnableFragments(IkeConnection connection) => Channel!.FragmentSize = Peer.Fragmentation ? connection.FragmentSize : 0;

    /// <summary>IKE_SA_INIT is over: the sides show who they are.</summary>
    public void BeginAuthentication() => State = IkeSaState.Authenticating;

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

    /// <summary>Time has passed.</summary>
    public void HandleTimeout(long now)
    {
        if (State == IkeSaState.Closed)
        {
            if (now >= _lingerUntil)
                Host.Remove(this);
            return;
        }
        Channel?.HandleTimeout(now);
        if (!Exchanges.HandleTimeout(now))
        {
            if (State is IkeSaState.Initiating or IkeSaState.Authenticating)
                Host.Emit(new InitiationFailed(Connection!.Name, null, $"{Path.Remote} does not answer"));
            Close(IkeCloseReason.PeerDead, now);
            return;
        }
        if (now >= ExpireAt && IsUndecided)
            ExpireAt = now + ReplacedWait;
        if (now >= ExpireAt && AwaitsProof)
            ReleaseSuccessor(now);
        if (now >= ExpireAt)
        {
            BeginDelete(State == IkeSaState.Replaced ? IkeCloseReason.Rekeyed : IkeCloseReason.Expired, now);
        }
        else if (State == IkeSaState.Established)
        {
            FollowUps.Expire(now);
            foreach (ChildSa child in Children.Snapshot())
                ChildLifecycle.HandleTimeout(child, now);
            if (now >= RekeyAt)
                BeginRekey();
            if (Path.LocalBehindNat && now >= _lastOutbound + Host.Options.NatKeepaliveDelay)
            {
                Host.SendKeepalive(Path);
                NoteOutbound(now);
            }
        }
        if (Exchanges.IsIdle && LivenessDelay is not 0 and long delay && now >= _lastInbound + delay)
            Exchanges.Enqueue(new LivenessExchange());
        Exchanges.Pump(now);
    }

    /// <summary>ESP came in on one of its child SAs.</summary>
    public void HandleTraffic(ChildSa child, long lastInbound)
    {
        NoteInbound(lastInbound);
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
        IkeHeader header = new(initiator, responder, type, flags, messageId);
        IkeWriter writer = new();
        foreach (IIkePayload payload in payloads)
            writer.Add(payload);
        if (type == ExchangeType.IkeIntermediate)
            Intermediate?.Cover(IsInitiator, Keys!, IntermediateOctets.Create(header, writer));
        return Channel!.Seal(header, writer, Path.Local);
    }

    /// <summary>An authentic message has come: the peer lives.</summary>
    public void NoteInbound(long now) => _lastInbound = Math.Max(_lastInbound, now);

    /// <summary>Something was sent: a NAT on the way knows us yet.</summary>
    public void NoteOutbound(long now) => _lastOutbound = now;

    /// <summary>Sends datagrams to the peer.</summary>
    public void Transmit(IReadOnlyList<byte[]> messages, long now)
    {
        NoteOutbound(now);
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
        LeavePredecessor(now);
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

    /// <summary>It is gone. For a while it still answers a request that is repeated because our answer was lost.</summary>
    public void Close(IkeCloseReason reason, long now)
    {
        if (State == IkeSaState.Closed)
            return;
        bool wasInitiating = IsInitiator && State is (IkeSaState.Initiating or IkeSaState.Authenticating);
        ReportClosed(reason, now);
        State = IkeSaState.Closed;
        LeavePredecessor(now);
        Exchanges.AbandonAll();
        Transcript = null;
        EndAuthentication();
        if (wasInitiating)
            Host.OnClosed(this, reason, now);
        if (Intake.HasAnswered && reason != IkeCloseReason.PeerDead)
            _lingerUntil = now + CloseLinger;
        else
            Host.Remove(this);
        Host.Schedule(this);
        LeaveSuccessor(reason, now);
    }

    public IkeSaReport Report() =>
        new(LocalSpi, RemoteSpi, Connection?.Name, RemoteId, State, IsInitiator, Path.Local, Path.Remote, Path.UdpEncapsulation, Keys?.Suite, EstablishedAt,
            RekeyAt, [.. Children.Snapshot().Select(child => child.Report())]);

    /// <summary>Zeroes the keys.</summary>
    public void Dispose()
    {
        Exchanges.AbandonAll();
        EndAuthentication();
        ForgetPreviousChannel();
        FollowUps.Clear();
        Lease?.Dispose();
        Channel?.Dispose();
        Keys?.Dispose();
    }

    private void EndAuthentication()
    {
        Authentication?.Dispose();
        Authentication = null;
        Intermediate?.Dispose();
        Intermediate = null;
    }

    private void ReportClosed(IkeCloseReason reason, long now)
    {
        FollowUps.Clear();
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
