using System.Net;
using CryptoPlane.Ike.Session;

namespace CryptoPlane.Ike;

/// <summary>
/// Keeps a connection as it is wanted: begins it, begins it again when it was lost, and makes the child SAs that are missing.
/// </summary>
internal sealed class ConnectionSupervisor(EndpointHost host, IkeConnection connection)
{
    /// <summary>The longest wait between tries, in milliseconds.</summary>
    private const long MaxDelay = 60_000;

    private readonly HashSet<IkeSa> _sas = [];
    private bool _isWanted;
    private long _delay = host.Options.RestartDelay;

    public IkeConnection Connection { get; } = connection;

    /// <summary>Its IKE SAs, those that are still authenticating included where we began them.</summary>
    public IReadOnlyCollection<IkeSa> Sas => _sas;

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public long NextTimeout { get; private set; } = long.MaxValue;

    /// <summary>Whether we may begin it.</summary>
    public bool CanInitiate => Connection is { LocalAddress: not null, SingleRemoteAddress: not null };

    private bool Restarts => _isWanted && Connection.StartAction == IkeStartAction.Start;

    public void Add(IkeSa sa) => _sas.Add(sa);

    public void Remove(IkeSa sa) => _sas.Remove(sa);

    /// <summary>It is wanted from now on.</summary>
    public void Start(long now)
    {
        _isWanted = true;
        _delay = host.Options.RestartDelay;
        BringUp(now);
    }

    /// <summary>It is wanted no more: its IKE SAs are deleted.</summary>
    public void Stop(long now)
    {
        _isWanted = false;
        NextTimeout = long.MaxValue;
        foreach (IkeSa sa in _sas.ToArray())
            sa.BeginDelete(IkeCloseReason.Terminated, now);
    }

    /// <summary>It is established, by whomever.</summary>
    public void OnEstablished(IkeSa sa, long now)
    {
        _delay = host.Options.RestartDelay;
        EnsureChildren(sa, now);
        // IKE_AUTH has just asked for the first child: where the peer refused it, it would refuse it again.
        if (!sa.Children.Has(Connection.Children[0], null))
            OnChildMissing(now);
    }

    /// <summary>We have made a child SA; perhaps the peer has told with it that there may be one for each lcore.</summary>
    public void OnChildMade(IkeSa sa, long now)
    {
        _delay = host.Options.RestartDelay;
        EnsureChildren(sa, now);
    }

    /// <summary>A child SA is missing: it is made after a while.</summary>
    public void OnChildMissing(long now)
    {
        if (Restarts)
            TryLater(now);
    }

    /// <summary>An IKE SA is gone, or could not be made.</summary>
    public void OnClosed(IkeCloseReason reason, long now)
    {
        if (reason is IkeCloseReason.Rekeyed or IkeCloseReason.Terminated)
            return;
        if (Restarts)
            TryLater(now);
        else
            _isWanted = false;
    }

    /// <summary>Time has passed.</summary>
    public void HandleTimeout(long now)
    {
        if (now < NextTimeout)
            return;
        NextTimeout = long.MaxValue;
        if (_isWanted)
            BringUp(now);
    }

    private void TryLater(long now)
    {
        // By chance up to a tenth later, so that the peers of a gateway that was gone do not all come at once.
        NextTimeout = Math.Min(NextTimeout, now + _delay + host.RandomTime(_delay / 10));
        _delay = Math.Min(_delay * 2, MaxDelay);
    }

    private void BringUp(long now)
    {
        if (_sas.FirstOrDefault(sa => sa.State == IkeSaState.Established) is { } established)
        {
            EnsureChildren(established, now, isRetry: true);
            return;
        }
        if (_sas.Any(sa => sa.State is IkeSaState.Initiating or IkeSaState.Authenticating))
            return;
        PeerPath path = new(new IPEndPoint(Connection.LocalAddress!, PeerPath.Port), new IPEndPoint(Connection.SingleRemoteAddress!, PeerPath.Port));
        IkeSa sa = new(host, isInitiator: true, host.NewSpi(), path, now) { Connection = Connection };
        host.Add(sa);
        new InitExchange(host, Connection).Start(sa, now);
        host.Schedule(sa);
    }

    private void EnsureChildren(IkeSa sa, long now, bool isRetry = false)
    {
        if (!_isWanted || sa.State != IkeSaState.Established)
            return;
        foreach (IkeChild child in Connection.Children)
        {
            if (child != Connection.Children[0] || isRetry)
                Ensure(sa, ChildRequest.Common(Connection, child), now);
            if (!sa.RefusedResources.Contains(child) && FindCommon(child) is { } common)
            {
                foreach (ChildRequest request in ChildRequest.PerResource(Connection, child, common))
                    Ensure(sa, request, now);
            }
        }
    }

    private void Ensure(IkeSa sa, ChildRequest request, long now)
    {
        if (_sas.Any(any => any.State == IkeSaState.Established && any.Children.Has(request.Configuration, request.Resource)))
            return;
        bool isOnItsWay = sa.Exchanges.Has<CreateChildExchange>(
            exchange => exchange.Wanted.Configuration == request.Configuration && exchange.Wanted.Resource == request.Resource);
        if (!isOnItsWay)
            sa.Begin(new CreateChildExchange(request), now);
    }

    private ChildSa? FindCommon(IkeChild child) =>
        _sas.Where(sa => sa.State == IkeSaState.Established).Select(sa => sa.Children.Find(child, null)).FirstOrDefault(found => found is not null);
}
