using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// The exchanges that we begin: one after another, since our window is 1 (RFC 7296 §2.3), each sent again until it is answered.
/// </summary>
internal sealed class ExchangeQueue(IkeSa sa)
{
    private readonly LinkedList<Exchange> _waiting = [];
    private readonly HashSet<uint> _deletedEarly = [];
    private uint _nextMessageId;

    /// <summary>The request that waits for its answer.</summary>
    public OutstandingRequest? Outstanding { get; private set; }

    /// <summary>Whether nothing waits, neither for an answer nor for its turn.</summary>
    public bool IsIdle => Outstanding is null && _waiting.Count == 0;

    /// <summary>When the outstanding request is sent again, or given up.</summary>
    public long NextTimeout => Outstanding?.NextAt ?? long.MaxValue;

    /// <summary>Whether an exchange of a kind waits for its answer or its turn.</summary>
    public bool Has<T>(Predicate<T> match)
        where T : Exchange =>
        (Outstanding?.Exchange is T outstanding && match(outstanding)) || _waiting.OfType<T>().Any(exchange => match(exchange));

    /// <summary>Begins an exchange when those before it are answered.</summary>
    public void Enqueue(Exchange exchange) => _waiting.AddLast(exchange);

    /// <summary>Begins an exchange before all others that wait: one that cannot wait, or that tries again what was just answered.</summary>
    public void EnqueueFirst(Exchange exchange) => _waiting.AddFirst(exchange);

    /// <summary>
    /// Begins the next exchange, if none is outstanding. While the peer is making an IKE SA that takes the place of this one, all wait for it: what
    /// is in the middle when child SAs change their owner belongs to neither (RFC 7296 §2.25.2). They wait as well until the peer has shown that it has
    /// this one.
    /// </summary>
    public void Pump(long now)
    {
        while (Outstanding is null && sa.MayBegin && _waiting.First is { } first)
        {
            _waiting.RemoveFirst();
            Exchange exchange = first.Value;
            List<IIkePayload> request = [];
            if (!exchange.TryBegin(sa, request, now))
                continue;
            uint id = _nextMessageId++;
            Start(exchange, id, sa.Seal(exchange.Type, isResponse: false, id, request), now);
        }
    }

    /// <summary>
    /// Sends the message of IKE_SA_INIT, which is in the clear and always has the message ID 0; also again, changed as the peer asked.
    /// </summary>
    public void StartInit(Exchange exchange, byte[] message, long now)
    {
        _nextMessageId = 1;
        Start(exchange, 0, [message], now);
    }

    /// <summary>Takes the exchange that an authentic response answers.</summary>
    public Exchange TakeAnswered()
    {
        Exchange exchange = Outstanding!.Exchange;
        Outstanding = null;
        return exchange;
    }

    /// <summary>
    /// The peer has deleted a child SA that we do not know. If we are waiting for an answer, it may be the one that the answer makes.
    /// </summary>
    public void NoteUnknownDeletion(uint spi)
    {
        if (Outstanding is not null && _deletedEarly.Count < DeletePayload.MaximumSpis)
            _deletedEarly.Add(spi);
    }

    /// <summary>Whether the peer has deleted what its answer makes.</summary>
    public bool WasDeletedEarly(uint spi) => _deletedEarly.Contains(spi);

    /// <summary>Whether a header is that of the response that is waited for.</summary>
    public bool IsAwaited(in IkeHeader header) =>
        Outstanding is { } outstanding && outstanding.MessageId == header.MessageId && outstanding.Exchange.Type == header.Exchange;

    /// <summary>Sends the outstanding request again if it is time.</summary>
    /// <returns>False where the peer has not answered any of the tries.</returns>
    public bool HandleTimeout(long now)
    {
        if (Outstanding is not { } outstanding || now < outstanding.NextAt)
            return true;
        if (outstanding.Retransmissions == sa.Host.Options.RetransmitTries || now >= outstanding.GiveUpAt)
            return false;
        outstanding.Retransmissions++;
        outstanding.NextAt = Math.Min(outstanding.GiveUpAt, now + Retransmission.Wait(sa.Host.Options, outstanding.Retransmissions, sa.Host.RandomNumber()));
        sa.Transmit(outstanding.Messages, now);
        return true;
    }

    /// <summary>Hands what waits to the IKE SA that replaces this one; that it is to be replaced is done.</summary>
    public void MoveWaitingTo(ExchangeQueue other)
    {
        foreach (Exchange exchange in _waiting.Where(exchange => exchange is not RekeyIkeExchange))
            other._waiting.AddLast(exchange);
        _waiting.Clear();
    }

    /// <summary>Gives up what waits for its turn.</summary>
    public void AbandonWaiting()
    {
        foreach (Exchange exchange in _waiting)
            exchange.Abandon(sa);
        _waiting.Clear();
    }

    /// <summary>Gives up everything.</summary>
    public void AbandonAll()
    {
        AbandonWaiting();
        Outstanding?.Exchange.Abandon(sa);
        Outstanding = null;
    }

    private void Start(Exchange exchange, uint id, IReadOnlyList<byte[]> messages, long now)
    {
        _deletedEarly.Clear();
        bool wasUp = sa.State is not (IkeSaState.Initiating or IkeSaState.Responding or IkeSaState.Authenticating);
        long giveUpAt = wasUp && sa.Connection is { DeadPeerTimeout: > 0 and long timeout } ? now + timeout : long.MaxValue;
        Outstanding = new OutstandingRequest(exchange, id, messages)
        {
            NextAt = Math.Min(giveUpAt, now + Retransmission.Wait(sa.Host.Options, 0, sa.Host.RandomNumber())),
            GiveUpAt = giveUpAt,
        };
        sa.Transmit(messages, now);
    }
}
