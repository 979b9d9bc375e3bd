using System.Runtime.InteropServices;
using CryptoPlane.Capture;
using CryptoPlane.Lcores;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Capture;

/// <summary>
/// The one thread that reads the lcores' rings and writes the capture file, until a limit is reached or the client wants no more.
/// </summary>
internal sealed unsafe class CaptureWriter
{
    /// <summary>Packets between two looks at the clock and the client.</summary>
    private const int Batch = 256;

    private const int PauseMilliseconds = 5;
    private const long FlushPeriod = 100_000_000, ReportPeriod = 1_000_000_000;

    private readonly IDataPlaneCapture _capture;
    private readonly CheckedCapture _checked;
    private readonly CaptureRequest _request;
    private readonly CaptureComments _comments;
    private readonly CaptureFrameWriter _output;
    private readonly Dictionary<(int Lcore, int Point), (int Number, PacketEndpoint Local)> _interfaces = [];
    private readonly long _started = MonotonicClock.Nanoseconds;
    private readonly ulong _startTime;
    private readonly long[] _delivered;

    public CaptureWriter(
        IDataPlaneCapture capture, CheckedCapture plan, CaptureRequest request, CaptureComments comments, CaptureFrameWriter output, DateTimeOffset now)
    {
        _capture = capture;
        _checked = plan;
        _request = request;
        _comments = comments;
        _output = output;
        _startTime = (ulong)(now - DateTimeOffset.UnixEpoch).Ticks * 100;
        _delivered = new long[capture.Rings.Count * plan.Points.Count];
    }

    /// <summary>Packets in the file.</summary>
    public long Captured { get; private set; }

    /// <summary>Packets for which a ring had no room; also after the rings are gone.</summary>
    public long Missed { get; private set; }

    /// <summary>Writes the whole capture; returns when it has ended on the lcores, and the client has the file, if it is still there.</summary>
    /// <param name="onRunning">Called about every second; a reason that it returns ends the capture.</param>
    /// <param name="stop">Ends the capture.</param>
    /// <returns>The final counts.</returns>
    public CaptureProgress Run(Func<string?> onRunning, CancellationToken stop)
    {
        using var file = new PcapngWriter(_output);
        string reason;
        try
        {
            WriteHeader(file);
            reason = WritePackets(file, onRunning, stop);
        }
        catch (CaptureClientLostException e)
        {
            reason = e.Message;
        }
        _capture.StopAsync().GetAwaiter().GetResult();
        CountMissed();
        try
        {
            WriteRest(file);
            file.Flush();
        }
        catch (CaptureClientLostException)
        {
            // What the client has is a capture without its statistics.
        }
        return new CaptureProgress(Captured, Missed, file.Length, reason);
    }

    private void WriteHeader(PcapngWriter file)
    {
        string? warning = _checked.ShowsUsersTraffic ? "This capture shows users' traffic in clear." : null;
        file.WriteSectionHeader(RuntimeInformation.ProcessArchitecture.ToString(), RuntimeInformation.OSDescription, "CryptoPlane broker", warning);
        foreach ((int lcore, _) in _capture.Rings)
        {
            foreach (CapturePoint point in _checked.Points.Where(point => point.Lcores.Contains(lcore)))
            {
                int snap = _request.Snap + CaptureOuterHeader.MaxLength;
                int number = file.AddInterface(new PcapngInterface($"{point.Name}/lcore{lcore}", point.LinkType, snap, point.Description, _request.Filter));
                _interfaces.Add((lcore, point.Number), (number, point.Local));
            }
        }
        file.Flush();
    }

    private string WritePackets(PcapngWriter file, Func<string?> onRunning, CancellationToken stop)
    {
        long deadline = _started + (_request.Seconds * 1_000_000_000L);
        long flushed = _started, reported = _started;
        while (true)
        {
            bool any = false;
            for (int i = 0; i < Batch && TryFindOldest(out int ring, out CaptureRecord* record); i++)
            {
                any = true;
                if (!TryWrite(file, ring, record))
                    return "the limit of bytes was reached";
                if (Captured == _request.Packets)
                    return "the limit of packets was reached";
            }
            long now = MonotonicClock.Nanoseconds;
            if (stop.IsCancellationRequested)
                return "the broker stops";
            if (_output.ClientHasEnded)
                return "the client ended it";
            if (now >= deadline)
                return "the limit of time was reached";
            if (!any || now - flushed >= FlushPeriod)
            {
                file.Flush();
                flushed = now;
            }
            if (now - reported >= ReportPeriod)
            {
                reported = now;
                CountMissed();
                _output.Report(new CaptureProgress(Captured, Missed, file.Length));
                if (onRunning() is { } reason)
                    return reason;
            }
            if (!any)
                Thread.Sleep(PauseMilliseconds);
        }
    }

    /// <summary>What was in the rings when the lcores stopped, as far as the limits allow, and the statistics.</summary>
    private void WriteRest(PcapngWriter file)
    {
        while (Captured < _request.Packets && TryFindOldest(out int ring, out CaptureRecord* record))
        {
            if (!TryWrite(file, ring, record))
                break;
        }
        ulong end = TimeOf(MonotonicClock.Nanoseconds);
        for (int ring = 0; ring < _capture.Rings.Count; ring++)
        {
            (int lcore, CaptureRing memory) = _capture.Rings[ring];
            for (int point = 0; point < _checked.Points.Count; point++)
            {
                if (!_interfaces.TryGetValue((lcore, _checked.Points[point].Number), out (int Number, PacketEndpoint Local) known))
                    continue;
                CapturePointCounters counters = memory.ReadCounters(_checked.Points[point].Number);
                file.WriteStatistics(known.Number, _startTime, end, new PcapngStatistics(
                    (ulong)counters.Seen, (ulong)counters.Accepted, (ulong)counters.Missed, (ulong)_delivered[(ring * _checked.Points.Count) + point]));
            }
        }
    }

    /// <summary>The packet that was captured first, of those that wait.</summary>
    private bool TryFindOldest(out int ring, out CaptureRecord* oldest)
    {
        ring = -1;
        oldest = null;
        for (int i = 0; i < _capture.Rings.Count; i++)
        {
            CaptureRecord* record = _capture.Rings[i].Ring.Peek();
            if (record == null || (oldest != null && oldest->Timestamp <= record->Timestamp))
                continue;
            ring = i;
            oldest = record;
        }
        return oldest != null;
    }

    /// <returns>False when the file would become longer than it may.</returns>
    private bool TryWrite(PcapngWriter file, int ring, CaptureRecord* record)
    {
        const int roomForOptions = 512, roomForStatistics = 128;
        (int lcore, CaptureRing memory) = _capture.Rings[ring];
        if (file.Length + record->CapturedLength + CaptureOuterHeader.MaxLength + roomForOptions + (_interfaces.Count * roomForStatistics) > _request.Bytes)
            return false;
        (int number, PacketEndpoint local) = _interfaces[(lcore, record->Point)];
        Span<byte> header = stackalloc byte[CaptureOuterHeader.MaxLength];
        int headerLength = CaptureOuterHeader.Write(in *record, in local, header);
        file.WritePacket(
            number, TimeOf(record->Timestamp), header[..headerLength], CaptureRing.BytesOf(record), record->OriginalLength, record->Direction, _comments.Of(in *record));
        for (int point = 0; point < _checked.Points.Count; point++)
        {
            if (_checked.Points[point].Number == record->Point)
                _delivered[(ring * _checked.Points.Count) + point]++;
        }
        memory.Release(record);
        Captured++;
        return true;
    }

    private ulong TimeOf(long monotonic) => _startTime + (ulong)(monotonic - _started);

    private void CountMissed()
    {
        Missed = 0;
        foreach ((_, CaptureRing ring) in _capture.Rings)
        {
            foreach (CapturePoint point in _checked.Points)
                Missed += ring.ReadCounters(point.Number).Missed;
        }
    }
}
