namespace CryptoPlane.Ike.Session;

/// <summary>How one IKE SA takes the place of another (RFC 7296 §2.8, §2.18), and what either does until the peer is known to have the new one.</summary>
internal sealed partial class IkeSa
{
    /// <summary>
    /// After how many milliseconds without its request again a peer that has rekeyed an IKE SA is taken to have our answer: longer than the waits between
    /// its tries (<see cref="Retransmission"/>).
    /// </summary>
    private const long ProofWait = 120_000;

    private IkeSa? _successor;

    // Whose place it takes by a rekey of the peer's, until the peer has shown that it has this one: our answer may be lost.
    private IkeSa? _predecessor;

    /// <summary>Whether an exchange may be begun by it.</summary>
    public bool MayBegin => !FollowUps.HasIkeSa && (_predecessor is null || State == IkeSaState.Deleting);

    /// <summary>Whether the peer has not shown yet that it has the IKE SA that we have made by answering its rekey.</summary>
    private bool AwaitsProof => State == IkeSaState.Replaced && _successor is { State: IkeSaState.Established } successor && successor._predecessor == this;

    /// <summary>Whether the peer's rekey has made it while we wait for the answer to ours (RFC 7296 §2.8.2).</summary>
    private bool IsUndecided =>
        State == IkeSaState.Replaced && _predecessor?.Exchanges.Outstanding?.Exchange is RekeyIkeExchange { Rival: { } rival } && rival == this;

    /// <summary>
    /// Another IKE SA takes the place of this one: it inherits the child SAs and what waits for its turn (RFC 7296 §2.8).
    /// </summary>
    /// <param name="successor">The other.</param>
    /// <param name="peerHasIt">
    /// Whether the peer is known to have it: not where we have answered its rekey, since the answer may be lost. Then this one stays for as long as the
    /// peer repeats its request, and the other begins nothing.
    /// </param>
    /// <param name="now">The time.</param>
    public void ReplaceBy(IkeSa successor, bool peerHasIt, long now)
    {
        State = IkeSaState.Replaced;
        _successor = successor;
        successor._predecessor = peerHasIt ? null : this;
        RekeyAt = long.MaxValue;
        ExpireAt = now + (peerHasIt ? ReplacedWait : ProofWait);
        FollowUps.Clear();
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

    /// <summary>
    /// A rekey has made it, but whether it or another one takes the place of the old IKE SA is not decided (RFC 7296 §2.8.2).
    /// </summary>
    public void AwaitDecision(IkeSa old, long now)
    {
        State = IkeSaState.Replaced;
        _predecessor = old;
        ExpireAt = now + ReplacedWait;
    }

    /// <summary>The peer repeats the request that was answered last: the answer was lost, or is late.</summary>
    public void NoteRepeat(long now)
    {
        NoteInbound(now);
        if (AwaitsProof)
            ExpireAt = now + ProofWait;
    }

    /// <summary>
    /// The peer begins something, so it has our answer to what it began before, its window being 1 (RFC 7296 §2.3): the IKE SA that the answer has made
    /// may be used, and so may the one that the request came by.
    /// </summary>
    /// <param name="deletes">Whether it deletes this IKE SA.</param>
    /// <param name="now">The time.</param>
    public void NoteNewRequest(bool deletes, long now)
    {
        if (AwaitsProof)
            ReleaseSuccessor(now);
        if (_predecessor is not { } old)
            return;
        if (IsUndecided && !deletes)
        {
            // The peer has decided for its own: else it would go on with ours.
            ((RekeyIkeExchange)old.Exchanges.Outstanding!.Exchange).Supersede();
            old.ReplaceBy(this, peerHasIt: true, now);
            Host.Schedule(old);
        }
        else if (State == IkeSaState.Established)
        {
            LeavePredecessor(now);
        }
    }

    /// <summary>It is gone: what replaces it goes on, if the peer has it.</summary>
    private void LeaveSuccessor(IkeCloseReason reason, long now)
    {
        if (_successor is { State: IkeSaState.Established } successor)
        {
            // Both sides have gone on to the one that replaces it: so does what waited for its turn. Or the peer may never have had our answer, and now has
            // neither of the two.
            if (successor._predecessor == this)
                successor.Close(reason, now);
            else
                successor.Exchanges.Pump(now);
            Host.Schedule(successor);
        }
        _successor = null;
    }

    /// <summary>The peer has the one that replaces it: there goes on what waited for its turn.</summary>
    private void ReleaseSuccessor(long now)
    {
        IkeSa successor = _successor!;
        successor.LeavePredecessor(now);
        successor.Exchanges.Pump(now);
        Host.Schedule(successor);
    }

    /// <summary>Whether the peer has it is known, or matters no more: the one that it replaces awaits its deletion.</summary>
    private void LeavePredecessor(long now)
    {
        if (_predecessor is { State: IkeSaState.Replaced } old && old._successor == this)
        {
            old.ExpireAt = now + ReplacedWait;
            Host.Schedule(old);
        }
        _predecessor = null;
    }
}
