using CryptoPlane.Ike;
using CryptoPlane.Tls;
using Microsoft.Extensions.Logging;
using VpnBroker.Audit;
using VpnBroker.Authentication;
using VpnBroker.Capture;
using VpnBroker.Certificates;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.Control;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Esp;
using VpnBroker.Export;
using VpnBroker.Ipsec;
using VpnBroker.Ipsec.Users;
using VpnBroker.Listening;
using VpnBroker.OpenConnect;
using VpnBroker.Sessions;
using VpnBroker.Status;

namespace VpnBroker.Hosting;

/// <summary>Starts a data plane: <c>DataPlaneHost.Start</c>, or a test's.</summary>
/// <param name="config">The configuration.</param>
/// <param name="outboundRanges">What each outbound SA may use at first, in the order of <see cref="EspSaOrder"/>; on disk already.</param>
/// <param name="loggers">The log.</param>
public delegate IDataPlane DataPlaneFactory(BrokerConfig config, IReadOnlyList<SequenceRange> outboundRanges, ILoggerFactory loggers);

/// <summary>A running broker: the control plane's parts, put together, and what can be asked of them.</summary>
/// <remarks>
/// Start-up takes things in the order in which they can fail, and listens last: a broker that accepts connections can serve them.
/// Shut-down goes the other way round.
/// </remarks>
public sealed partial class Broker : IBrokerControl, IAsyncDisposable
{
    /// <summary>How long shut-down waits for clients to take their DISCONNECT.</summary>
    public static readonly TimeSpan ShutdownTime = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan s_sweepPeriod = TimeSpan.FromSeconds(1);

    private readonly string _file;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly AuditLog _audit;
    private readonly AttemptLimiter _attempts;
    private readonly GcPauseMonitor _pauses = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _reloading = new(1);
    private readonly LogLevelSwitch _level;
    private BrokerConfig _config;
    private ServerCertificate? _certificate;
    private UsersFileAuthenticator? _authenticator;
    private SequenceReserver? _reserver;
    private IDataPlane? _dataPlane;
    private SessionTable? _sessions;
    private StatusCollector? _status;
    private CaptureService? _captures;
    private IkeService? _ike;
    private RemoteUsers? _remoteUsers;
    private FileIkeUsers? _ikeUsers;
    private ExportService? _export;
    private Portal? _portal;
    private MonitoringServices? _monitoring;
    private ControlServer? _control;
    private UserFront? _front;
    private DtlsFront? _dtls;
    private ulong _policyLogSuppressed;
    private Task _housekeeping = Task.CompletedTask;
    private Task _reserving = Task.CompletedTask;

    private Broker(string file, BrokerConfig config, LogLevelSwitch level, ILoggerFactory loggers, TimeProvider clock)
    {
        _file = file;
        _config = config;
        _level = level;
        _clock = clock;
        _logger = loggers.CreateLogger("VpnBroker");
        _audit = new AuditLog(clock);
        _attempts = new AttemptLimiter(clock);
    }

    /// <summary>The configuration of now.</summary>
    public BrokerConfig Config => Volatile.Read(ref _config);

    /// <summary>The pin of the server's certificate, or null without users to serve.</summary>
    public string? Pin => _certificate?.Pin;

    /// <summary>Starts a broker.</summary>
    /// <param name="file">The configuration file, for reloads.</param>
    /// <param name="config">The configuration, as loaded from the file.</param>
    /// <param name="startDataPlane">Starts the data plane.</param>
    /// <param name="level">The log's level, which a reload may change.</param>
    /// <param name="loggers">The log.</param>
    /// <param name="clock">The time.</param>
    /// <exception cref="Exception">A part cannot start; everything that had started was stopped again.</exception>
    public static async Task<Broker> StartAsync(
        string file, BrokerConfig config, DataPlaneFactory startDataPlane, LogLevelSwitch level, ILoggerFactory loggers, TimeProvider clock)
    {
        var broker = new Broker(file, config, level, loggers, clock);
        try
        {
            await broker.StartAsync(startDataPlane, loggers);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<StatusReport> GetStatusAsync(bool users) => _monitoring!.Rates.WithRates(await ReadStatusAsync(users));

    /// <inheritdoc/>
    public async Task<string?> CommandIpsecAsync(IpsecCommand command, string peer)
    {
        if (_ike is null)
            return "the configuration has no ipsec section";
        try
        {
            await (command switch
            {
                IpsecCommand.Up => _ike.UpAsync(peer),
                IpsecCommand.Down => _ike.DownAsync(peer),
                _ => _ike.RekeyAsync(peer, ikeSa: command == IpsecCommand.RekeyIke),
            });
            return null;
        }
        catch (IpsecException e)
        {
            return e.Message;
        }
    }

    /// <inheritdoc/>
    public int Disconnect(string user) => _sessions?.EndUser(user, TunnelEndReason.Administrator) ?? 0;

    /// <inheritdoc/>
    public async Task<string?> ReloadAsync()
    {
        await _reloading.WaitAsync();
        try
        {
            string? error = await TryReloadAsync();
            if (error is null)
                LogReloaded(_logger, _file);
            else
                LogReloadFailed(_logger, error);
            return error;
        }
        finally
        {
            _reloading.Release();
        }
    }

    /// <summary>Stops everything: clients are told, sockets closed, threads ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_front is not null)
            await _front.DisposeAsync();
        _dtls?.Dispose();
        if (_control is not null)
            await _control.DisposeAsync();
        if (_monitoring is not null)
            await _monitoring.DisposeAsync();
        await Task.WhenAll(_housekeeping, _reserving);
        // Peers are told while the data plane's socket on port 4500 is there.
        if (_ike is not null)
            await _ike.DisposeAsync();
        if (_dataPlane is not null)
            await _dataPlane.StopAsync(ShutdownTime);
        // The lcores' last records are in their rings now.
        _export?.Dispose();
        _reserver?.Dispose();
        _ikeUsers?.Dispose();
        _authenticator?.Dispose();
        _certificate?.Dispose();
        _pauses.Stop();
        _stop.Dispose();
        _reloading.Dispose();
    }

    /// <inheritdoc/>
    public Task<FlowsReport> GetFlowsAsync(FlowsRequest request) => !_config.KeepsFlows
        ? throw new InvalidOperationException("No sessions are kept: set flows.enabled to true and restart.")
        : new FlowsCollector(_dataPlane!, _sessions, _clock).CollectAsync(request);

    /// <inheritdoc/>
    public Task<StartedCapture> StartCaptureAsync(CaptureRequest request, ControlPeer peer) => _captures!.StartAsync(request, peer);

    private async Task StartAsync(DataPlaneFactory startDataPlane, ILoggerFactory loggers)
    {
        _level.Level = _config.Log.Level;
        WarnOf(_config);
        _audit.Open(_config.Log.AuditFile);
        if (_config.Listen is not null)
        {
            _certificate = ServerCertificate.Load(_config.Certificate!, _clock);
            LogCertificate(_logger, _certificate.Created ? "made" : "read", _config.Certificate!.CertificateFile, _certificate.Pin);
        }
        if (_config.HasUsers)
            _authenticator = new UsersFileAuthenticator(_config.Authentication!);
        if (_config.Esp is not null)
            _reserver = new SequenceReserver(_config, _logger);
        _dataPlane = startDataPlane(_config, _reserver?.InitialRanges ?? [], loggers);
        if (_config.HasUsers)
            _sessions = new SessionTable(_config, _dataPlane, _clock) { SessionEnded = OnSessionEnded, Forgetting = session => _export?.Remember(session) };
        if (_config.Ipsec is not null)
        {
            ILogger logger = loggers.CreateLogger("VpnBroker.Ipsec");
            if (_config.Ipsec.RemoteAccess is not null)
            {
                _ikeUsers = new FileIkeUsers(_config.Authentication!, _authenticator!.Refresh, logger);
                _remoteUsers = new RemoteUsers(() => Config, _sessions!, _ikeUsers, _attempts, _audit, logger);
            }
            _ike = IkeService.Start(_config, _dataPlane, options => new IkeEndpoint(options), _audit, logger, _remoteUsers);
        }
        if (_reserver is not null)
            _reserving = _reserver.RunAsync(_dataPlane, _stop.Token);
        if (_config.Listen is not null)
        {
            if (_dataPlane.DtlsSockets.Count != 0)
                _dtls = DtlsFront.Start(_dataPlane, _sessions!, () => Config.Limits, loggers.CreateLogger("VpnBroker.Dtls"));
            _portal = new Portal(() => Config, AuthenticatorOf(_authenticator!), _attempts, _sessions!, _audit, loggers.CreateLogger("VpnBroker.Portal"))
            {
                DtlsPortOf = local => _dtls?.PortOf(local),
            };
        }
        if (_config.Export is not null)
            _export = await ExportService.StartAsync(_config, _dataPlane, _sessions, loggers.CreateLogger("VpnBroker.Export"));
        _status = new StatusCollector(_dataPlane, _sessions, _pauses, _clock);
        _captures = new CaptureService(() => Config, _dataPlane, _sessions, _audit, _clock, loggers.CreateLogger("VpnBroker.Capture"));
        _monitoring = await MonitoringServices.StartAsync(_config, ReadStatusAsync, GetFlowsAsync, _clock, loggers);
        _monitoring.Rates.Taken += MeasureLcores;
        _control = ControlServer.Start(_config.Control.Socket, this, loggers.CreateLogger("VpnBroker.Control"));
        _housekeeping = KeepHouseAsync();
        if (_config.Listen is not null)
        {
            TlsServerOptions tls = TlsOptionsOf(_certificate!, UserCertificates.Load(_config.Authentication!.Certificates));
            _front = await UserFront.StartAsync(_config.Listen.Endpoints, _portal!, tls, loggers.CreateLogger("VpnBroker.Listening"));
        }
    }

    private async Task<StatusReport> ReadStatusAsync(bool users)
    {
        StatusReport report = await _status!.CollectAsync(users, _front?.HalfOpen.Current ?? 0, _front?.HalfOpen.Refused ?? 0, _dtls);
        if (_export is not null)
            report = report with { Export = _export.Report() };
        if (_ike is null)
            return report;
        (IReadOnlyList<IkeSaReport> sas, IkeGateReport gate, long now) = await _ike.ReportAsync();
        return report with { Ipsec = IpsecReport.Of(sas, now, Config.Ipsec!.Peers), IkeRequests = gate };
    }

    private async Task<string?> TryReloadAsync()
    {
        BrokerConfig before = Config;
        try
        {
            BrokerConfig after = ConfigLoader.Load(_file);
            if (RestartChecks.Differences(before, after) is { Count: > 0 } sections)
                return $"{_file}: these sections need a restart: {string.Join(", ", sections)}; the configuration of before stays";
            UsersFile? users = _authenticator?.Refresh();
            TlsClientAuthentication? userCertificates = UserCertificates.Load(after.Authentication?.Certificates);
            ServerCertificate? certificate = after.Certificate is null || _front is null ? null : ServerCertificate.Load(after.Certificate, _clock);
            _audit.Open(after.Log.AuditFile);

            if (_ike is not null)
                await _ike.ApplyAsync(after);
            await _dataPlane!.ApplyAsync(after);
            _export?.Apply(after);
            Volatile.Write(ref _config, after);
            WarnOf(after);
            _level.Level = after.Log.Level;
            if (certificate is not null)
            {
                // The one of before is left to the garbage collector: handshakes may be signing with it.
                _certificate = certificate;
                _front!.UseTls(TlsOptionsOf(certificate, userCertificates));
            }
            if (users is not null)
                EndRemovedUsers(users);
            _remoteUsers?.Refresh();
            return null;
        }
        catch (Exception e) when (e is ConfigException or IpsecException or UsersFileException or ServerCertificateException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return e.Message;
        }
    }

    private void EndRemovedUsers(UsersFile users)
    {
        foreach (string user in _sessions!.List().Select(session => session.User).Distinct().Where(user => users.Find(user) is null))
        {
            LogUserRemoved(_logger, user);
            _sessions.EndUser(user, TunnelEndReason.Administrator);
        }
    }

    private async Task KeepHouseAsync()
    {
        using var timer = new PeriodicTimer(s_sweepPeriod);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                _sessions?.Sweep();
                await AuditPolicyAsync();
                _attempts.Sweep();
                if (_export is not null)
                    await _export.RefreshNamesAsync();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task AuditPolicyAsync()
    {
        (IReadOnlyList<PolicyDecision> decisions, ulong suppressed) = await _dataPlane!.TakePolicyLogAsync();
        bool written = true;
        foreach (PolicyDecision decision in decisions)
            written &= _audit.Write(new PolicyAudit(decision));
        if (suppressed != _policyLogSuppressed)
            written &= _audit.Write(new PolicyAudit(null, suppressed - _policyLogSuppressed));
        _policyLogSuppressed = suppressed;
        if (!written)
            LogPolicyAuditFailed(_logger);
    }

    /// <summary>New sessions go where there is time left.</summary>
    private void MeasureLcores(StatusReport report)
    {
        foreach (LcoreReport lcore in report.Lcores)
        {
            if (lcore.Busy is { } busy)
                _sessions?.MeasureLcore(lcore.Index, busy);
        }
    }

    private void OnSessionEnded(Session session, TunnelEnded ended)
    {
        LogSessionEnded(_logger, session.Id, session.User, ended.Reason, ended.BytesFromUser, ended.BytesToUser);
        if (!_audit.Write(new AuditRecord(AuditEvent.End, session.User, session.Remote, true, ended.Reason.ToString(), session.Id) { Lease = session.Lease }))
            LogAuditFailed(_logger, session.User);
    }

    private void WarnOf(BrokerConfig config)
    {
        foreach (string warning in ConfigLoader.Warnings(config))
            LogConfigWarning(_logger, _file, warning);
    }

    private IAuthenticator AuthenticatorOf(UsersFileAuthenticator passwords) => _config.Authentication!.Certificates is { } certificates
        ? new CertificateAuthenticator(passwords, certificates, passwords.Find)
        : passwords;

    private static TlsServerOptions TlsOptionsOf(ServerCertificate certificate, TlsClientAuthentication? userCertificates) =>
        new(new TlsCredential(certificate.Certificate, certificate.Chain)) { ClientAuthentication = userCertificates };

    [LoggerMessage(1, LogLevel.Information, "Certificate {File} was {Action}; clients may pin it: --servercert {Pin}")]
    private static partial void LogCertificate(ILogger logger, string action, string file, string pin);

    [LoggerMessage(2, LogLevel.Information, "The configuration {File} was read again and is in use")]
    private static partial void LogReloaded(ILogger logger, string file);

    [LoggerMessage(3, LogLevel.Error, "The configuration was not reloaded, the one of before stays: {Error}")]
    private static partial void LogReloadFailed(ILogger logger, string error);

    [LoggerMessage(4, LogLevel.Information, "Session {Session} of {User} ended: {Reason}; {BytesFromUser} bytes from and {BytesToUser} bytes to the user")]
    private static partial void LogSessionEnded(ILogger logger, ulong session, string user, TunnelEndReason reason, ulong bytesFromUser, ulong bytesToUser);

    [LoggerMessage(7, LogLevel.Error, "The audit log cannot be written to: decisions of the policy are not in it; free some space or correct log.auditFile")]
    private static partial void LogPolicyAuditFailed(ILogger logger);

    [LoggerMessage(6, LogLevel.Warning, "{File}: {Warning}")]
    private static partial void LogConfigWarning(ILogger logger, string file, string warning);

    [LoggerMessage(7, LogLevel.Error, "The audit log cannot be written to: the end of a session of {User} is not in it; free some space or correct log.auditFile")]
    private static partial void LogAuditFailed(ILogger logger, string user);

    [LoggerMessage(5, LogLevel.Information, "{User} is no longer in the users file: their sessions end")]
    private static partial void LogUserRemoved(ILogger logger, string user);
}
