namespace CryptoPlane.Lcores;

/// <summary>
/// A ring into an lcore that wakes it when it sleeps: one producer thread (the supervisor, or another lcore), one consumer.
/// </summary>
/// <typeparam name="T">A blittable message.</typeparam>
public sealed class Mailbox<T> : IDisposable
    where T : unmanaged
{
    private readonly SpscRing<T> _ring;
    private readonly LcoreWaker _waker;

    /// <summary>Makes an empty mailbox.</summary>
    /// <param name="capacity">Messages it holds: a power of two.</param>
    /// <param name="waker">The consumer's waker, shared by all its mailboxes; it outlives the mailbox.</param>
    public Mailbox(int capacity, LcoreWaker waker)
    {
        ArgumentNullException.ThrowIfNull(waker);
        _ring = new SpscRing<T>(capacity);
        _waker = waker;
    }

    /// <summary>True when the consumer would find nothing.</summary>
    public bool IsEmpty => _ring.IsEmpty;

    /// <summary>Messages waiting, about.</summary>
    public int Count => _ring.Count;

    /// <summary>Posts a message and wakes the consumer if it sleeps. Producer only.</summary>
    /// <returns>False, with nothing changed, when the mailbox is full.</returns>
    public bool TryPost(in T message)
    {
        if (!_ring.TryEnqueue(in message))
            return false;
        _waker.Wake();
        return true;
    }

    /// <summary>Posts as many messages as fit, from the front, with one wake-up. Producer only.</summary>
    /// <returns>How many were taken.</returns>
    public int Post(ReadOnlySpan<T> messages)
    {
        int count = _ring.Enqueue(messages);
        if (count > 0)
            _waker.Wake();
        return count;
    }

    /// <summary>Takes the oldest message. Consumer only; does not sleep.</summary>
    public bool TryReceive(out T message) => _ring.TryDequeue(out message);

    /// <summary>Takes the oldest messages. Consumer only; does not sleep.</summary>
    /// <returns>How many were written.</returns>
    public int Receive(Span<T> messages) => _ring.Dequeue(messages);

    /// <summary>Frees the ring when both sides have stopped.</summary>
    public void Dispose() => _ring.Dispose();
}
