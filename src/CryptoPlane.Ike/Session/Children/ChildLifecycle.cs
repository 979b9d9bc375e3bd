using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Session;

/// <summary>What happens to child SAs: each change here is an event for whoever carries the packets.</summary>
internal static class ChildLifecycle
{
    /// <summary>A child SA was agreed on: packets may come in on it.</summary>
    /// <param name="sa">The IKE SA.</param>
    /// <param name="child">The child SA.</param>
    /// <param name="keys">Its keys, which the event takes along.</param>
    /// <param name="isInitiator">Whether we began the exchange.</param>
    public static void Install(IkeSa sa, ChildSa child, ChildKeys keys, bool isInitiator)
    {
        sa.Children.Add(child);
        sa.Host.AddChild(child);
        if (child.Replaces is { } old)
            old.ReplacedBy ??= child;
        sa.Host.Emit(new ChildSaInstalled
        {
            Id = child.Id,
            OutboundSpi = child.OutboundSpi,
            IkeSa = sa.LocalSpi,
            Connection = sa.Connection!.Name,
            Child = child.Configuration.Name,
            RemoteId = sa.RemoteId!,
            Keys = keys,
            IsInitiator = isInitiator,
            Mode = child.Configuration.Mode,
            UdpEncapsulation = sa.Path.UdpEncapsulation,
            Local = sa.Path.Local,
            Remote = sa.Path.Remote,
            LocalSelectors = child.LocalSelectors,
            RemoteSelectors = child.RemoteSelectors,
            Resource = child.Resource,
            Replaces = child.Replaces?.Id,
        });
    }

    /// <summary>Sends on it from now on, unless that is so already.</summary>
    public static void Activate(ChildSa child)
    {
        if (child.State != ChildSaState.Installed)
            return;
        child.State = ChildSaState.Active;
        child.Parent.Host.Emit(new ChildSaActivated(child.Id));
    }

    /// <summary>
    /// Both sides have deleted it. What replaces it is sent on at the latest now; it receives for a while yet, since packets that the peer
    /// sent before may still be on their way.
    /// </summary>
    public static void Remove(ChildSa child, long now)
    {
        if (child.State is ChildSaState.Lingering or ChildSaState.Removed)
            return;
        if (child.ReplacedBy is { } successor)
        {
            Activate(successor);
            long linger = child.Parent.Host.Options.ReplacedChildLinger;
            if (linger != 0)
            {
                child.State = ChildSaState.Lingering;
                child.LingerUntil = now + linger;
                return;
            }
        }
        Drop(child);
        if (child.ReplacedBy is null)
            child.Parent.Host.OnChildMissing(child.Parent, now);
    }

    /// <summary>Forgets it, now.</summary>
    public static void Drop(ChildSa child)
    {
        if (child.State == ChildSaState.Removed)
            return;
        child.State = ChildSaState.Removed;
        IkeSa sa = child.Parent;
        sa.Children.Remove(child);
        sa.Host.RemoveChild(child);
        sa.Host.Emit(new ChildSaRemoved(child.Id, child.ReplacedBy is not null));
        sa.Host.Options.ChildSpis.Free(child.Id.InboundSpi);
    }

    /// <summary>It may carry nothing more: it is gone here at once, and the peer is told.</summary>
    public static void Expire(ChildSa child, long now)
    {
        if (child.State is not (ChildSaState.Installed or ChildSaState.Active))
            return;
        if (child.ReplacedBy is { } successor)
            Activate(successor);
        IkeSa sa = child.Parent;
        Drop(child);
        sa.Exchanges.Enqueue(new DeleteChildExchange(child));
        if (child.ReplacedBy is null)
            sa.Host.OnChildMissing(sa, now);
    }

    /// <summary>Begins to replace it, unless that is on its way; one that is not active yet, as soon as it is.</summary>
    public static void Rekey(ChildSa child, long now)
    {
        if (child.State == ChildSaState.Installed)
        {
            child.RekeyAt = Math.Min(child.RekeyAt, now);
            return;
        }
        child.RekeyAt = long.MaxValue;
        if (child.MayBeRekeyed && !child.Parent.Exchanges.Has<RekeyChildExchange>(exchange => exchange.Old == child))
            child.Parent.Exchanges.Enqueue(new RekeyChildExchange(child));
    }

    /// <summary>Time has passed.</summary>
    public static void HandleTimeout(ChildSa child, long now)
    {
        if (child.State == ChildSaState.Lingering)
        {
            if (now >= child.LingerUntil)
                Drop(child);
        }
        else if (now >= child.ExpireAt)
        {
            Expire(child, now);
        }
        else if (child.State == ChildSaState.Active && now >= child.RekeyAt)
        {
            Rekey(child, now);
        }
    }
}
