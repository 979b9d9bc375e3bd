namespace CryptoPlane.Ike.Responder;

/// <summary>
/// The IKE SAs that peers have begun and not authenticated: found by request (to repeat an answer), by SPI, by age, and counted by
/// address.
/// </summary>
internal sealed class HalfOpenTable(long timeout)
{
    private readonly Dictionary<UInt128, LinkedListNode<HalfOpen>> _byDigest = [];
    private readonly Dictionary<ulong, LinkedListNode<HalfOpen>> _bySpi = [];
    private readonly Dictionary<AddressKey, int> _perAddress = [];

    // All have the same time, so the order of arrival is the order of expiry.
    private readonly LinkedList<HalfOpen> _byAge = [];

    /// <summary>How many there are.</summary>
    public int Count => _byAge.Count;

    /// <summary>When the oldest expires; <see cref="long.MaxValue"/>: there is none.</summary>
    public long NextExpiry => _byAge.First?.Value.Deadline ?? long.MaxValue;

    /// <summary>How many an address has.</summary>
    public int CountOf(AddressKey address) => _perAddress.GetValueOrDefault(address);

    /// <summary>The answer that a request had, or null for a new request.</summary>
    public byte[]? FindAnswer(UInt128 digest) =>
        _byDigest.TryGetValue(digest, out LinkedListNode<HalfOpen>? node) ? node.Value.Answer : null;

    public void Add(in InitTicket ticket, ulong responderSpi, byte[] answer, long now)
    {
        LinkedListNode<HalfOpen> node = new(new HalfOpen(ticket, responderSpi, answer, now + timeout));
        _bySpi.Add(responderSpi, node);
        _byDigest.Add(ticket.Digest, node);
        _byAge.AddLast(node);
        _perAddress[ticket.Address] = CountOf(ticket.Address) + 1;
    }

    /// <summary>Forgets one, if it is there.</summary>
    public bool Remove(ulong responderSpi)
    {
        if (!_bySpi.TryGetValue(responderSpi, out LinkedListNode<HalfOpen>? node))
            return false;
        Remove(node);
        return true;
    }

    /// <summary>Forgets the oldest, if its time is over.</summary>
    public bool TryExpire(long now, out ulong responderSpi)
    {
        responderSpi = 0;
        if (_byAge.First is not { } node || node.Value.Deadline > now)
            return false;
        responderSpi = node.Value.ResponderSpi;
        Remove(node);
        return true;
    }

    private void Remove(LinkedListNode<HalfOpen> node)
    {
        HalfOpen entry = node.Value;
        _bySpi.Remove(entry.ResponderSpi);
        _byDigest.Remove(entry.Ticket.Digest);
        _byAge.Remove(node);
        int left = CountOf(entry.Ticket.Address) - 1;
        if (left == 0)
            _perAddress.Remove(entry.Ticket.Address);
        else
            _perAddress[entry.Ticket.Address] = left;
    }

    private readonly record struct HalfOpen(InitTicket Ticket, ulong ResponderSpi, byte[] Answer, long Deadline);
}
