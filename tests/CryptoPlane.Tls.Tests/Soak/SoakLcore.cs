using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Lcores;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Soak;

/// <summary>What an lcore has done; written by it alone.</summary>
internal sealed class SoakTotals
{
    public long Records, EmptyRecords, Bytes, KeyUpdates, KeyUpdatesAsked, Turns;
    public long Abrupt, Closed, Alerts, Corrupted;

    /// <summary>Bytes that the lcore's thread has allocated on the managed heap.</summary>
    public long Allocated;
}

/// <summary>
/// An lcore with both sides of a thousand connections: seals and opens their records in bursts across all of them, over wires that deliver
/// what they like, and ends connections in every way. Control threads bring new ones.
/// </summary>
internal sealed unsafe class SoakLcore : ILcoreWorker, IDisposable
{
    public const int Connections = 1000;

    private const int ConnectionsPerTurn = 64, RecordsPerBurst = 512, PlainSize = 1 << 19;

    /// <summary>
    /// Bytes between the KeyUpdates of a direction, each side's own and those that it is asked for: <see cref="TlsRecordReader.MaxKeyUpdates"/>
    /// within <see cref="TlsRecordReader.KeyUpdateWindow"/> bytes would end the connection.
    /// </summary>
    private const int BytesPerUpdate = 2048;

    private readonly Random _random;
    private readonly string _name;
    private readonly SpscRing<int> _up = new(1024), _down = new(1024);
    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly AeadBurst _burst = new(2 * RecordsPerBurst);
    private readonly TlsRecordReader _reader = new(RecordsPerBurst);
    private readonly NativeBuffer _plain = new(PlainSize);
    private readonly NativeBuffer _wires = new(2 * Connections * SoakDirection.WireSize);
    private readonly int[] _live = new int[Connections];
    private SoakConnection* _connections;
    private int _liveCount, _next;

    public SoakLcore(int index, int seed)
    {
        _random = new Random(seed);
        _name = $"seed {seed}, lcore {index}";
        _connections = (SoakConnection*)NativeMemory.AlignedAlloc((nuint)sizeof(SoakConnection) * Connections, 64);
        NativeMemory.Clear(_connections, (nuint)sizeof(SoakConnection) * Connections);
        for (int i = 0; i < Connections; i++)
        {
            _connections[i].Index = i;
            _connections[i].Up.Wire = _wires.Pointer + ((2 * i) * SoakDirection.WireSize);
            _connections[i].Down.Wire = _wires.Pointer + ((2 * i + 1) * SoakDirection.WireSize);
        }
    }

    public SoakTotals Totals { get; } = new();

    /// <summary>Connections that the lcore has; for others a moment ago.</summary>
    public int Live => Volatile.Read(ref _liveCount);

    public bool HasPendingWork => true;

    public long NextDeadline => 0;

    /// <summary>A place for a connection, which the control thread owns.</summary>
    public SoakConnection* this[int index] => _connections + index;

    /// <summary>Hands a connection over. Control thread.</summary>
    public void Give(int index) => Assert.True(_up.TryEnqueue(index));

    /// <summary>Takes the place of a connection that has ended. Control thread.</summary>
    public bool TryTakeEnded(out int index) => _down.TryDequeue(out index);

    public void Start(Lcore lcore)
    {
    }

    public int Poll(long now)
    {
        while (_up.TryDequeue(out int index))
            _live[_liveCount++] = index;
        if (_liveCount == 0)
            return 0;
        int first = _next < _liveCount ? _next : 0, count = Math.Min(ConnectionsPerTurn, _liveCount - first);
        _next = first + count;
        ReadOnlySpan<int> turn = _live.AsSpan(first, count);
        Seal(turn);
        Spoil(turn);
        Open(turn);
        for (int i = first + count - 1; i >= first; i--)
        {
            SoakConnection* connection = _connections + _live[i];
            if (!IsOver(connection))
                continue;
            Release(connection);
            _live[i] = _live[--_liveCount];
            if (!_down.TryEnqueue(connection->Index))
                throw new InvalidOperationException("The ring of ended connections has no room.");
        }
        Totals.Turns++;
        Totals.Allocated = GC.GetAllocatedBytesForCurrentThread();
        return count;
    }

    public void WaitForEvents(int timeoutMilliseconds) => throw new NotSupportedException("The lcore of the soak is never idle.");

    /// <summary>Gives the keys of all connections back, on the lcore as they must be.</summary>
    public void Stop()
    {
        while (_up.TryDequeue(out int index))
            _live[_liveCount++] = index;
        while (_liveCount > 0)
            Release(_connections + _live[--_liveCount]);
    }

    public void Dispose()
    {
        _up.Dispose();
        _down.Dispose();
        _reader.Dispose();
        _burst.Dispose();
        _engine.Dispose();
        _plain.Dispose();
        _wires.Dispose();
        NativeMemory.AlignedFree(_connections);
        _connections = null;
    }

    private void Seal(ReadOnlySpan<int> turn)
    {
        foreach (int index in turn)
        {
            SoakConnection* connection = _connections + index;
            ChooseEnd(connection);
            Send(connection, &connection->Up, &connection->Down);
            Send(connection, &connection->Down, &connection->Up);
        }
        _burst.Run(_engine);
        foreach (int index in turn)
        {
            TlsRecordWriter.CompleteKeyUpdate(&_connections[index].Up.Write, _engine);
            TlsRecordWriter.CompleteKeyUpdate(&_connections[index].Down.Write, _engine);
        }
        _burst.Clear();
    }

    /// <summary>What one side sends in one turn.</summary>
    private void Send(SoakConnection* connection, SoakDirection* way, SoakDirection* back)
    {
        if (way->HasSentAlert)
            return;
        way->OwesUpdate |= back->Read.TakeKeyUpdateRequest();
        for (int count = way->OwesAlert ? 0 : _random.Next(4); count > 0; count--)
        {
            byte* destination = way->Wire + way->Filled;
            TlsRecordStatus status;
            int length = 0, recordLength, room = SoakDirection.WireSize - way->Filled;
            if (way->OwesUpdate || (_random.Next(32) == 0 && way->Sent - way->UpdatedAt >= BytesPerUpdate))
            {
                bool asks = !way->OwesUpdate && _random.Next(2) == 0 && back->Received - back->UpdateSeenAt >= BytesPerUpdate;
                status = TlsRecordWriter.PrepareKeyUpdate(_burst, &way->Write, asks, destination, room, out recordLength);
                if (status == TlsRecordStatus.Added)
                {
                    way->OwesUpdate = false;
                    way->UpdatedAt = way->Sent;
                    Totals.KeyUpdatesAsked += asks ? 1 : 0;
                }
            }
            else
            {
                length = Math.Min(Math.Min(NextSize(), way->Write.MaxContent), room - SoakDirection.Reserve - TlsRecordSizes.Overhead);
                if (length < 0)
                    break;
                SoakStream.Fill(new Span<byte>(destination + TlsRecordSizes.Header, length), way->Key, way->Sent);
                status = TlsRecordWriter.TryAdd(
                    _burst, &way->Write, TlsContentType.ApplicationData, destination + TlsRecordSizes.Header, length, destination, room, out recordLength);
            }
            if (status is TlsRecordStatus.BurstFull or TlsRecordStatus.KeyUpdateInProgress or TlsRecordStatus.DestinationTooSmall)
                break;
            Check(status == TlsRecordStatus.Added, way, "a record could not be sealed", (int)status);
            way->Filled += recordLength;
            way->Sent += length;
            connection->RecordsLeft--;
        }
        if (way->OwesAlert)
            SendAlert(way);
    }

    private void SendAlert(SoakDirection* way)
    {
        TlsRecordStatus status = TlsRecordWriter.TryAddAlert(
            _burst, &way->Write, way->Alert, way->Wire + way->Filled, SoakDirection.WireSize - way->Filled, out int length);
        if (status is TlsRecordStatus.BurstFull or TlsRecordStatus.DestinationTooSmall)
            return;
        Check(status == TlsRecordStatus.Added, way, "an alert could not be sealed", (int)status);
        way->Filled += length;
        way->HasSentAlert = true;
    }

    /// <summary>Ends connections that have lived, as long as nearly all places are taken.</summary>
    private void ChooseEnd(SoakConnection* connection)
    {
        SoakDirection* way = SoakConnection.Direction(connection, connection->EndedBy);
        if (connection->End == SoakEnd.None && connection->RecordsLeft <= 0 && _liveCount >= Connections * 19 / 20)
        {
            connection->End = _random.Next(8) switch { 0 or 1 => SoakEnd.Abrupt, 2 => SoakEnd.Alert, 3 or 4 => SoakEnd.Corruption, _ => SoakEnd.CloseNotify };
            connection->EndedBy = _random.Next(2);
            way = SoakConnection.Direction(connection, connection->EndedBy);
            if (connection->End is SoakEnd.CloseNotify or SoakEnd.Alert)
            {
                way->OwesAlert = true;
                way->Alert = connection->End == SoakEnd.CloseNotify ? TlsAlert.CloseNotify : TlsAlert.InternalError;
            }
        }
        else if (connection->End == SoakEnd.CloseNotify && way->ReadEnded && _random.Next(3) == 0)
        {
            // RFC 8446 §6.1: the other direction may go on until its own close_notify.
            SoakDirection* other = SoakConnection.Opposite(way);
            other->OwesAlert = true;
            other->Alert = TlsAlert.CloseNotify;
        }
    }

    private void Spoil(ReadOnlySpan<int> turn)
    {
        foreach (int index in turn)
        {
            SoakConnection* connection = _connections + index;
            SoakDirection* way = SoakConnection.Direction(connection, connection->EndedBy);
            if (connection->End == SoakEnd.Corruption && !way->IsCorrupted)
                SoakCorruption.TryApply(way, _random.Next(SoakCorruption.Kinds), _random);
        }
    }

    private void Open(ReadOnlySpan<int> turn)
    {
        int used = 0;
        bool isFull = false;
        foreach (int index in turn)
        {
            for (int i = 0; i < 2 && !isFull; i++)
                isFull = !TryRead(SoakConnection.Direction(_connections + index, i), ref used);
        }
        _burst.Run(_engine);
        for (int first = _burst.Count; _reader.Complete(_burst, _engine); first = _burst.Count)
            _burst.Run(_engine, first);
        for (int i = 0; i < _reader.Count; i++)
            Take(_reader[i]);
        _reader.Clear();
        _burst.Clear();
        foreach (int index in turn)
        {
            for (int i = 0; i < 2; i++)
                Consume(SoakConnection.Direction(_connections + index, i));
        }
    }

    /// <summary>Delivers some more of the wire, and adds the records that are whole to the burst.</summary>
    /// <returns>False if the burst is full.</returns>
    private bool TryRead(SoakDirection* way, ref int used)
    {
        if (way->ReadEnded)
            return true;
        int hidden = way->Filled - way->Visible;
        way->Visible += _random.Next(5) switch
        {
            0 => hidden,
            1 => Math.Min(hidden, _random.Next(64)),
            2 => Math.Min(hidden, _random.Next(4096)),
            _ => _random.Next(hidden + 1),
        };
        while (true)
        {
            TlsRecordHeaderStatus found = TlsRecordHeader.TryParse(way->OnWire[way->Taken..way->Visible], isProtected: true, out TlsRecordHeader header);
            if (found == TlsRecordHeaderStatus.NeedMoreData)
                return true;
            if (found != TlsRecordHeaderStatus.Complete)
            {
                // Said when all before it is read.
                if (way->Taken == 0)
                    Fail(way, AlertFor(found));
                return true;
            }
            if (used + header.RecordLength > PlainSize
                || !_reader.TryAdd(_burst, &way->Read, way->Wire + way->Taken, header.RecordLength, _plain.Pointer + used, (ulong)way))
                return false;
            used += header.RecordLength;
            way->Taken += header.RecordLength;
        }
    }

    private static TlsAlert AlertFor(TlsRecordHeaderStatus found) => found switch
    {
        TlsRecordHeaderStatus.RecordOverflow => TlsAlert.RecordOverflow,
        TlsRecordHeaderStatus.DecodeError => TlsAlert.DecodeError,
        _ => TlsAlert.UnexpectedMessage,
    };

    private void Take(in TlsOpenedRecord record)
    {
        var way = (SoakDirection*)record.UserData;
        switch (record.Status)
        {
            case TlsOpenStatus.Opened when record.ContentType == TlsContentType.ApplicationData:
                Check(!way->ReadEnded, way, "data came behind the end", record.Length);
                Check(SoakStream.IsRight(record.Content, way->Key, way->Received), way, "other bytes came than were sent", record.Length);
                way->Received += record.Length;
                Totals.Records++;
                Totals.EmptyRecords += record.Length == 0 ? 1 : 0;
                Totals.Bytes += record.Length;
                break;
            case TlsOpenStatus.Handled:
                if (way->Read.KeyUpdates == way->UpdatesSeen)
                    break;
                Totals.KeyUpdates += way->Read.KeyUpdates - way->UpdatesSeen;
                way->UpdatesSeen = way->Read.KeyUpdates;
                way->UpdateSeenAt = way->Received;
                break;
            case TlsOpenStatus.CloseNotify or TlsOpenStatus.PeerAlert:
                Check(way->HasSentAlert && record.Alert == way->Alert, way, "another alert came than was sent", (int)record.Alert);
                Check(way->Received == way->Sent, way, "data before the end was lost", (int)(way->Sent - way->Received));
                way->ReadEnded = true;
                break;
            case TlsOpenStatus.Ended:
                Check(way->ReadEnded, way, "a record was refused before an end", 0);
                break;
            default:
                Fail(way, record.Alert);
                break;
        }
    }

    /// <summary>A record was refused: it must have been spoilt, and the other side is told.</summary>
    private void Fail(SoakDirection* way, TlsAlert alert)
    {
        bool isRight = alert == way->ExpectedAlert || (way->MayBeOtherAlert && alert is TlsAlert.RecordOverflow or TlsAlert.DecodeError);
        Check(way->IsCorrupted && isRight, way, "a record was refused for no reason, or with the wrong alert", (int)alert);
        way->ReadEnded = true;
        SoakDirection* back = SoakConnection.Opposite(way);
        back->OwesAlert = true;
        back->Alert = alert;
    }

    private static void Consume(SoakDirection* way)
    {
        // What comes behind an end is not read.
        if (way->ReadEnded)
            way->Taken = way->Visible = way->Filled;
        way->OnWire[way->Taken..].CopyTo(way->OnWire);
        way->Filled -= way->Taken;
        way->Visible -= way->Taken;
        way->Taken = 0;
    }

    private bool IsOver(SoakConnection* connection)
    {
        SoakDirection* way = SoakConnection.Direction(connection, connection->EndedBy), back = SoakConnection.Opposite(way);
        switch (connection->End)
        {
            case SoakEnd.Abrupt:
                Totals.Abrupt++;
                return true;
            case SoakEnd.CloseNotify when way->ReadEnded && back->ReadEnded:
                Totals.Closed++;
                return true;
            case SoakEnd.Alert when way->ReadEnded:
                Totals.Alerts++;
                return true;
            case SoakEnd.Corruption when back->ReadEnded:
                Totals.Corrupted++;
                return true;
            default:
                return false;
        }
    }

    private void Release(SoakConnection* connection)
    {
        for (int i = 0; i < 2; i++)
        {
            SoakConnection.Direction(connection, i)->Write.Release(_engine);
            SoakConnection.Direction(connection, i)->Read.Release(_engine);
        }
    }

    /// <summary>Mostly small, as most records are; every size now and then.</summary>
    private int NextSize() => _random.Next(16) switch
    {
        0 => 0,
        1 => TlsRecordSizes.MaxContent,
        2 => _random.Next(TlsRecordSizes.MaxContent + 1),
        < 9 => _random.Next(65),
        _ => _random.Next(1501),
    };

    private void Check(bool isRight, SoakDirection* way, string what, int detail)
    {
        if (isRight)
            return;
        SoakConnection* connection = way->Owner;
        string direction = way == &connection->Up ? "to the server" : "to the client";
        throw new InvalidOperationException(
            $"{_name}, connection {connection->Index}.{connection->Generation}, {direction}: {what} ({detail}); sent {way->Sent}, received {way->Received}, "
            + $"end {connection->End}, on the wire {way->Filled}, seen {way->Visible}, KeyUpdates {way->Read.KeyUpdates}");
    }
}
