using System.Diagnostics.CodeAnalysis;
using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Responder;
using CryptoPlane.Ike.Session;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike;

/// <summary>The endpoint that speaks IKEv2.</summary>
/// <inheritdoc cref="IIkeEndpoint"/>
public sealed class IkeEndpoint : IIkeEndpoint
{
    private readonly EndpointHost _host;
    private readonly InitGate _gate;
    private readonly AeadEngine? _ownEngine;
    private bool _isDisposed;

    /// <summary>Makes an endpoint. Connections that are to be started begin with the first call of <see cref="HandleTimeout"/>.</summary>
    /// <exception cref="ArgumentException">The options, or a connection, contradict themselves.</exception>
    public IkeEndpoint(IkeEndpointOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Validate(options.Connections);
        if (options.Engine is null)
            _ownEngine = AeadEngine.CreateDefault();
        _host = new EndpointHost(options, options.Engine ?? _ownEngine!);
        _gate = new InitGate(new InitGateLimits { HalfOpen = options.MaxHalfOpen, HalfOpenTimeout = options.HalfOpenTimeout }, options.Randomness);
        _host.Removed = sa => _gate.Close(sa.LocalSpi);
        _host.Replace(options.Connections);
        NeedsStart = options.Connections.Any(connection => connection.StartAction == IkeStartAction.Start);
    }

    /// <inheritdoc/>
    public long NextTimeout =>
        NeedsStart ? 0 : Math.Min(
            Math.Min(_host.Timers.Next, _gate.NextExpiry), _host.Supervisors.Select(s => s.NextTimeout).DefaultIfEmpty(long.MaxValue).Min());

    private bool NeedsStart { get; set; }

    /// <inheritdoc/>
    public IReadOnlyList<IkeSaReport> Report() => [.. _host.Sas.Where(sa => sa.State != IkeSaState.Closed).Select(sa => sa.Report())];

    /// <inheritdoc/>
    public IkeGateReport ReportGate() => _gate.Report();

    /// <inheritdoc/>
    public void HandleDatagram(IPEndPoint local, IPEndPoint remote, ReadOnlySpan<byte> message, long now)
    {
        ArgumentNullException.ThrowIfNull(local);
        ArgumentNullException.ThrowIfNull(remote);
        IkeParseError error = IkeHeader.Parse(message, out IkeHeader header);
        if (error == IkeParseError.UnsupportedMajorVersion && _gate.TryRefuseVersion(header, now, out byte[] refusal))
            _host.Send(new PeerPath(local, remote), refusal);
        if (error != IkeParseError.None)
            return;
        if (header.Exchange == ExchangeType.IkeSaInit && !header.IsResponse)
        {
            HandleInit(local, remote, header, message, now);
            return;
        }
        IkeSa? sa = _host.Find(header.FromInitiator ? header.ResponderSpi : header.InitiatorSpi);
        if (sa is not null && sa.IsInitiator != header.FromInitiator)
            sa.Intake.Handle(local, remote, header, message, now);
    }

    /// <inheritdoc/>
    public void HandleTimeout(long now)
    {
        if (NeedsStart)
        {
            NeedsStart = false;
            foreach (ConnectionSupervisor supervisor in _host.Supervisors.Where(s => s.Connection.StartAction == IkeStartAction.Start))
                supervisor.Start(now);
        }
        while (_gate.TryExpire(now, out ulong spi))
            _host.Find(spi)?.Close(IkeCloseReason.PeerDead, now);
        while (_host.Timers.TakeDue(now) is { } sa)
        {
            sa.HandleTimeout(now);
            _host.Schedule(sa);
        }
        foreach (ConnectionSupervisor supervisor in _host.Supervisors)
            supervisor.HandleTimeout(now);
    }

    /// <inheritdoc/>
    public void HandleTraffic(ChildSaId child, long lastInbound)
    {
        if (_host.FindChild(child) is { } found)
            found.Parent.HandleTraffic(found, lastInbound);
    }

    /// <inheritdoc/>
    public void HandleLifetime(ChildSaId child, bool hard, long now)
    {
        if (_host.FindChild(child) is not { } found)
            return;
        if (hard)
            ChildLifecycle.Expire(found, now);
        else
            ChildLifecycle.Rekey(found, now);
        found.Parent.Exchanges.Pump(now);
        _host.Schedule(found.Parent);
    }

    /// <inheritdoc/>
    public void SetConnections(IReadOnlyList<IkeConnection> connections, long now)
    {
        ArgumentNullException.ThrowIfNull(connections);
        Validate(connections);
        HashSet<IkeConnection> known = [.. _host.Connections];
        IReadOnlyList<ConnectionSupervisor> gone = _host.Replace(connections);
        foreach (ConnectionSupervisor supervisor in gone)
            supervisor.Stop(now);
        // A peer that is just authenticating may be about to get a connection that is gone: it begins anew.
        if (gone.Count != 0)
        {
            foreach (IkeSa sa in _host.Sas.Where(sa => sa.IsHalfOpen).ToArray())
                sa.Close(IkeCloseReason.Terminated, now);
        }
        foreach (ConnectionSupervisor supervisor in _host.Supervisors)
        {
            if (supervisor.Connection.StartAction == IkeStartAction.Start && !known.Contains(supervisor.Connection))
                supervisor.Start(now);
        }
    }

    /// <inheritdoc/>
    public void Initiate(string connection, long now)
    {
        ConnectionSupervisor supervisor = Supervisor(connection);
        if (!supervisor.CanInitiate)
            throw new ArgumentException($"connection '{connection}': to initiate it, name the local address and a single remote one.", nameof(connection));
        supervisor.Start(now);
    }

    /// <inheritdoc/>
    public void Terminate(string connection, long now) => Supervisor(connection).Stop(now);

    /// <inheritdoc/>
    public void TerminateSa(ulong ikeSa, long now) => _host.Find(ikeSa)?.BeginDelete(IkeCloseReason.Terminated, now);

    /// <inheritdoc/>
    public void Rekey(string connection, bool ikeSa, long now)
    {
        foreach (IkeSa sa in Supervisor(connection).Sas.Where(sa => sa.State == IkeSaState.Established).ToArray())
        {
            if (ikeSa)
                sa.BeginRekey();
            else
                Array.ForEach(sa.Children.Snapshot(), child => ChildLifecycle.Rekey(child, now));
            sa.Exchanges.Pump(now);
            _host.Schedule(sa);
        }
    }

    /// <inheritdoc/>
    public bool TryPollTransmit([NotNullWhen(true)] out IkeDatagram? datagram) => _host.TryTakeDatagram(out datagram);

    /// <inheritdoc/>
    public bool TryPollEvent([NotNullWhen(true)] out IkeEvent? e) => _host.TryTakeEvent(out e);

    /// <summary>Zeroes all keys. Peers are not told: <see cref="Terminate"/> does that, and needs time.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        foreach (IkeSa sa in _host.Sas.ToArray())
            _host.Remove(sa);
        while (_host.TryTakeEvent(out IkeEvent? e))
        {
            if (e is ChildSaInstalled installed)
                installed.Keys.Dispose();
        }
        _gate.Dispose();
        _ownEngine?.Dispose();
    }

    private void HandleInit(IPEndPoint local, IPEndPoint remote, in IkeHeader header, ReadOnlySpan<byte> message, long now)
    {
        InitDecision decision = _gate.Decide(remote, header, message, now, out InitTicket ticket, out byte[] reply);
        if (decision == InitDecision.Reply)
            _host.Send(new PeerPath(local, remote), reply);
        if (decision != InitDecision.Accept || _host.Sas.Count >= _host.Options.MaxIkeSas)
            return;
        if (InitResponder.Handle(_host, local, remote, header, message, now) is not { } sa)
            return;
        _host.Add(sa);
        _gate.Open(ticket, sa.LocalSpi, sa.Transcript!.Response, now);
    }

    private ConnectionSupervisor Supervisor(string connection) =>
        _host.FindSupervisor(connection) ?? throw new ArgumentException($"There is no connection '{connection}'.", nameof(connection));

    private static void Validate(IReadOnlyList<IkeConnection> connections)
    {
        foreach (IkeConnection connection in connections)
            connection.Validate();
        if (connections.DistinctBy(connection => connection.Name).Count() != connections.Count)
            throw new ArgumentException("Two connections have the same name.");
    }
}
