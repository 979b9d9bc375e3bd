using System.Buffers.Binary;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Session;

namespace CryptoPlane.Ike;

/// <summary>The tables of an endpoint: IKE SAs by SPI, their timers, and a supervisor for each connection.</summary>
internal sealed class EndpointHost(IkeEndpointOptions options, AeadEngine engine) : SessionHost(options, engine)
{
    private readonly Dictionary<ulong, IkeSa> _sas = [];
    private Dictionary<string, ConnectionSupervisor> _supervisors = [];
    private IReadOnlyList<IkeConnection> _connections = [];

    public override IReadOnlyList<IkeConnection> Connections => _connections;

    public TimerSet Timers { get; } = new();

    public IReadOnlyCollection<ConnectionSupervisor> Supervisors => _supervisors.Values;

    public IReadOnlyCollection<IkeSa> Sas => _sas.Values;

    /// <summary>What is told when an IKE SA is gone, whatever it was.</summary>
    public Action<IkeSa>? Removed { get; set; }

    public IkeSa? Find(ulong localSpi) => _sas.GetValueOrDefault(localSpi);

    public ConnectionSupervisor? FindSupervisor(string connection) => _supervisors.GetValueOrDefault(connection);

    /// <summary>Takes other connections; a supervisor stays where its connection is the same object.</summary>
    /// <returns>The supervisors of connections that are no more.</returns>
    public IReadOnlyList<ConnectionSupervisor> Replace(IReadOnlyList<IkeConnection> connections)
    {
        Dictionary<string, ConnectionSupervisor> old = _supervisors;
        _connections = [.. connections];
        _supervisors = connections.ToDictionary(
            connection => connection.Name,
            connection => old.TryGetValue(connection.Name, out ConnectionSupervisor? same) && same.Connection == connection
                ? same : new ConnectionSupervisor(this, connection));
        return [.. old.Values.Where(supervisor => !_supervisors.ContainsValue(supervisor))];
    }

    public override void Add(IkeSa sa)
    {
        _sas.Add(sa.LocalSpi, sa);
        if (Supervisor(sa) is { } supervisor)
            supervisor.Add(sa);
        Schedule(sa);
    }

    public override void Remove(IkeSa sa)
    {
        if (!_sas.Remove(sa.LocalSpi))
            return;
        Timers.Remove(sa);
        if (Supervisor(sa) is { } supervisor)
            supervisor.Remove(sa);
        Removed?.Invoke(sa);
        sa.Dispose();
    }

    public override void Schedule(IkeSa sa)
    {
        if (_sas.ContainsKey(sa.LocalSpi))
            Timers.Update(sa);
    }

    public override void OnEstablished(IkeSa sa, long now)
    {
        Removed?.Invoke(sa);
        if (Supervisor(sa) is { } supervisor)
        {
            supervisor.Add(sa);
            supervisor.OnEstablished(sa, now);
        }
    }

    public override void OnClosed(IkeSa sa, IkeCloseReason reason, long now) => Supervisor(sa)?.OnClosed(reason, now);

    public override void OnChildMade(IkeSa sa, long now) => Supervisor(sa)?.OnChildMade(sa, now);

    public override void OnChildMissing(IkeSa sa, long now) => Supervisor(sa)?.OnChildMissing(now);

    public override IEnumerable<IkeSa> FindPeer(IkeConnection connection, IkeIdentity remoteId) =>
        FindSupervisor(connection.Name)?.Sas.Where(sa => sa.State == IkeSaState.Established && remoteId.Equals(sa.RemoteId)) ?? [];

    public override ulong NewSpi()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        ulong spi;
        do
        {
            Options.Randomness(bytes);
            spi = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        }
        while (spi == 0 || _sas.ContainsKey(spi));
        return spi;
    }

    // An IKE SA of a connection that was replaced under the same name has lost its supervisor.
    private ConnectionSupervisor? Supervisor(IkeSa sa) =>
        sa.Connection is { } connection && FindSupervisor(connection.Name) is { } supervisor && supervisor.Connection == connection ? supervisor : null;
}
