using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// What the peer has begun to make by CREATE_CHILD_SA and goes on with by IKE_FOLLOWUP_KE (RFC 9370 §2.2.4). Bounded in number and time: a peer may
/// give up in the middle without a word.
/// </summary>
internal sealed class FollowUpTable
{
    /// <summary>More than a peer with a window of one request has reason for, and how long one may stand still, in milliseconds.</summary>
    private const int MaxPending = 8;
    private const long Timeout = 60_000;

    private const int LinkLength = 8;

    private readonly List<PendingFollowUp> _pending = [];

    public int Count => _pending.Count;

    /// <summary>Whether one of them takes the place of this IKE SA.</summary>
    public bool HasIkeSa => Has(pending => pending is PendingIkeSa);

    public bool IsFull => Count >= MaxPending;

    /// <summary>When <see cref="Expire"/> has something to do.</summary>
    public long NextTimeout => _pending.Count == 0 ? long.MaxValue : _pending.Min(pending => pending.Deadline);

    /// <summary>Keeps one, and tells the peer by what to name it.</summary>
    public void Add(PendingFollowUp pending, SessionHost host, List<IIkePayload> response, long now)
    {
        pending.Link = host.RandomBytes(LinkLength);
        pending.Deadline = now + Timeout;
        _pending.Add(pending);
        response.Add(new NotifyPayload(NotifyType.AdditionalKeyExchange, pending.Link));
    }

    /// <summary>The one that the peer names; null: there is none.</summary>
    public PendingFollowUp? Find(ReadOnlySpan<byte> link)
    {
        foreach (PendingFollowUp pending in _pending)
        {
            if (link.SequenceEqual(pending.Link))
                return pending;
        }
        return null;
    }

    /// <summary>One is complete, and its owner disposes of it.</summary>
    public void Remove(PendingFollowUp pending) => _pending.Remove(pending);

    /// <summary>Whether there is one of a kind.</summary>
    public bool Has(Predicate<PendingFollowUp> match) => _pending.Exists(match);

    /// <summary>Forgets those that nobody goes on with.</summary>
    public void Drop(Predicate<PendingFollowUp> match)
    {
        foreach (PendingFollowUp pending in _pending.FindAll(match))
        {
            _pending.Remove(pending);
            pending.Dispose();
        }
    }

    /// <summary>Forgets those whose time is over.</summary>
    public void Expire(long now) => Drop(pending => now >= pending.Deadline);

    /// <summary>Forgets all.</summary>
    public void Clear() => Drop(_ => true);
}
