using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Esp;

/// <summary>
/// Keeps every outbound SA a block of sequence numbers ahead of what it has used: reserves on disk, then raises the lcore's limit.
/// </summary>
/// <remarks>An lcore that reaches its limit drops packets and counts them; it never waits for a disk.</remarks>
public sealed class SequenceReserver : IDisposable
{
    /// <summary>How often the lcores' positions are looked at: at 10 million packets a second a block of 2^20 lasts 100 ms.</summary>
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(20);

    private readonly SequenceStateFile _file;
    private readonly IReadOnlyList<OutboundSaRef> _sas;
    private readonly ulong _block;
    private readonly ulong[] _limits;
    private readonly bool[] _exhausted;
    private readonly ILogger _logger;

    /// <summary>Why the last reservation failed, so that fifty failures a second are one line in the log.</summary>
    private string? _failure;

    /// <summary>Reserves the first two blocks of every outbound SA.</summary>
    /// <param name="config">The configuration; its ESP section exists.</param>
    /// <param name="logger">The log.</param>
    /// <exception cref="SequenceStateException">The state file cannot be used.</exception>
    public SequenceReserver(BrokerConfig config, ILogger logger)
    {
        _logger = logger;
        _sas = EspSaOrder.Of(config);
        _block = (ulong)config.Esp!.ReserveBlock;
        _file = SequenceStateFile.Open(config.Esp);
        try
        {
            InitialRanges = _file.Reserve([.. _sas.Select(sa => (sa.Pair.Outbound.Key, 2 * _block, EndOf(sa)))]);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
        _limits = [.. InitialRanges.Select(range => range.Limit)];
        _exhausted = new bool[_sas.Count];
    }

    /// <summary>What each SA may use at first, in the order of <see cref="EspSaOrder"/>.</summary>
    public IReadOnlyList<SequenceRange> InitialRanges { get; }

    /// <summary>Keeps reserving until cancelled.</summary>
    public async Task RunAsync(IDataPlane dataPlane, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(s_period);
        ulong[] positions = new ulong[_sas.Count];
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation))
            {
                dataPlane.ReadSequencePositions(positions);
                foreach ((int sa, ulong limit) in ReserveBehind(positions))
                    await dataPlane.RaiseSequenceLimitAsync(sa, limit);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Reserves for the SAs that have less than a block left.</summary>
    /// <param name="positions">Each SA's next sequence number.</param>
    /// <returns>The raised limits, which are on disk.</returns>
    public IReadOnlyList<(int Sa, ulong Limit)> ReserveBehind(ReadOnlySpan<ulong> positions)
    {
        var low = new List<int>();
        for (int sa = 0; sa < positions.Length; sa++)
        {
            if (!_exhausted[sa] && _limits[sa] - Math.Min(positions[sa], _limits[sa]) < _block)
                low.Add(sa);
        }
        if (low.Count == 0)
            return [];
        SequenceRange[] ranges;
        try
        {
            ranges = _file.Reserve([.. low.Select(sa => (_sas[sa].Pair.Outbound.Key, _block, EndOf(_sas[sa])))]);
        }
        catch (SequenceStateException e)
        {
            if (e.Message != _failure)
                ReserverLog.ReserveFailed(_logger, e.Message);
            _failure = e.Message;
            return [];
        }
        if (_failure != null)
            ReserverLog.Reserved(_logger);
        _failure = null;
        var raised = new List<(int, ulong)>();
        for (int i = 0; i < low.Count; i++)
        {
            int sa = low[i];
            if (ranges[i].Limit == _limits[sa])
            {
                _exhausted[sa] = true;
                ReserverLog.Exhausted(_logger, _sas[sa].Tunnel.Name, _sas[sa].Pair.Lcore);
                continue;
            }
            _limits[sa] = ranges[i].Limit;
            raised.Add((sa, ranges[i].Limit));
        }
        return raised;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>RFC 4303 §3.3.3: the number must not cycle, with or without ESN.</summary>
    private static ulong EndOf(OutboundSaRef sa) => sa.Pair.Outbound.Esn ? ulong.MaxValue : 1ul << 32;
}

/// <summary>The reserver's log messages.</summary>
internal static partial class ReserverLog
{
    [LoggerMessage(1, LogLevel.Error, "ESP sequence numbers cannot be reserved: {Message}; packets are dropped when the reserved ones are used")]
    public static partial void ReserveFailed(ILogger logger, string message);

    [LoggerMessage(3, LogLevel.Information, "ESP sequence numbers are reserved again")]
    public static partial void Reserved(ILogger logger);

    [LoggerMessage(2, LogLevel.Critical, "The outbound key of ESP tunnel {Tunnel}, lcore {Lcore}, has no sequence number left: put a new key in the configuration, or use ESN")]
    public static partial void Exhausted(ILogger logger, string tunnel, int lcore);
}
