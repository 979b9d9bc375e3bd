using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Soak;

/// <summary>What a control thread has done.</summary>
internal sealed class SoakHandshakeTotals
{
    public long Whole, Resumed, WithKey, WithClientCertificate, Retried, Compressed, Aborted, Spoilt, EarlyAccepted, EarlyRejected, ReplaysRefused;
}

/// <summary>Handshakes on one control thread, one after the other: each is another kind, and some of them come to nothing.</summary>
internal sealed unsafe class SoakHandshake : IDisposable
{
    private const int MaxSteps = 10_000, MaxSessions = 64, MaxEarlyData = 6000;

    private readonly SoakProfiles _profiles;
    private readonly Random _random;
    private readonly int _seed;
    private readonly SoakSide _client, _server;
    private readonly Stack<TlsSession>[] _sessions = [.. Enumerable.Range(0, SoakProfiles.Count).Select(_ => new Stack<TlsSession>())];
    private long _count;
    private string _kind = "";

    public SoakHandshake(SoakProfiles profiles, int seed)
    {
        _profiles = profiles;
        _seed = seed;
        _random = new Random(seed);
        _client = new SoakSide(_random, Fail);
        _server = new SoakSide(_random, Fail) { Peer = _client };
        _client.Peer = _server;
    }

    public SoakHandshakeTotals Totals { get; } = new();

    /// <summary>Makes a connection, with data on it at once, and moves it into its place for the lcore.</summary>
    /// <returns>False if it came to nothing, as it was meant to.</returns>
    public bool TryConnect(SoakConnection* connection)
    {
        ulong key = ((ulong)_seed << 48) + ((ulong)++_count << 8);
        connection->Up.Begin(connection, key);
        connection->Down.Begin(connection, key + 1);
        int which = _random.Next(SoakProfiles.Count);
        using TlsSession? session = _random.Next(4) != 0 && _sessions[which].TryPop(out TlsSession? kept) ? kept : null;
        bool early = session is { MaxEarlyData: > 0 } && _random.Next(2) == 0;
        int earlyData = early ? _random.Next(1, MaxEarlyData) : 0;
        using var client = new TlsClient(_profiles.Client(which, session, early, _random));
        using var server = new TlsServer(_profiles.Servers[which]);
        _kind = $"server {which}{(session == null ? "" : ", resumed")}{(early ? ", early data" : "")}";
        _client.Begin(client, &connection->Up, &connection->Down);
        _server.Begin(server, &connection->Down, &connection->Up);
        int abortAt = _random.Next(12) == 0 ? _random.Next(1, 24) : -1, spoilAt = _random.Next(12) == 0 ? _random.Next(1, 12) : -1;
        byte[]? recorded = null;
        bool spoilt = false;
        for (int step = 0, still = 0; !client.IsHandshakeComplete || !server.IsHandshakeComplete; step++)
        {
            if (step == abortAt)
            {
                Totals.Aborted++;
                return false;
            }
            bool moved = Step(_client, ref earlyData, step == spoilAt, ref spoilt);
            if (early && recorded == null && earlyData == 0)
                recorded = _server.Input.ToArray();
            moved |= Step(_server, ref earlyData, step == spoilAt, ref spoilt);
            still = moved ? 0 : still + 1;
            if (still < 20 && step < MaxSteps)
                continue;
            // What is spoilt may also leave both sides waiting: for a record that got longer, say.
            if (!spoilt)
                Fail($"the handshake comes to no end: client {_client.Status} {client.Error}, server {_server.Status} {server.Error}");
            if (client.Error is { Kind: TlsErrorKind.LocalFailure } || server.Error is { Kind: TlsErrorKind.LocalFailure })
                Fail($"what came became a failure of this side: {client.Error}, {server.Error}");
            Totals.Spoilt++;
            return false;
        }
        CheckSecrets(client, server);
        if (spoilt)
        {
            // In what nobody looks at, such as a record's version; or in a ticket, which ends the connection later.
            Totals.Spoilt++;
            return false;
        }
        CheckAgreement(client, server, which, session, early, &connection->Up);
        if (recorded != null && client.EarlyDataStatus == TlsEarlyDataStatus.Accepted && _random.Next(4) == 0)
            CheckReplay(which, recorded);
        Talk();
        Keep(client, which);
        LeaveSomethingUnderWay();
        client.DetachTraffic(&connection->Down.Read, &connection->Up.Write);
        server.DetachTraffic(&connection->Up.Read, &connection->Down.Write);
        HandOver(connection);
        return true;
    }

    public void Dispose()
    {
        foreach (TlsSession session in _sessions.SelectMany(kept => kept))
            session.Dispose();
    }

    private bool Step(SoakSide side, ref int earlyData, bool spoil, ref bool spoilt)
    {
        int before = side.SentBytes;
        int none = 0;
        bool moved = side == _client ? side.Advance(ref earlyData) : side.Advance(ref none);
        int sent = side.SentBytes - before;
        if (spoil && sent > 0 && !spoilt)
        {
            side.Spoil(sent);
            spoilt = true;
        }
        return moved;
    }

    private void CheckSecrets(TlsClient client, TlsServer server)
    {
        Span<byte> one = stackalloc byte[32], other = stackalloc byte[32];
        client.ExportKeyingMaterial("soak", [], one);
        server.ExportKeyingMaterial("soak", [], other);
        if (!one.SequenceEqual(other))
            Fail("both sides are complete, and have other keys");
    }

    private void CheckAgreement(TlsClient client, TlsServer server, int which, TlsSession? session, bool early, SoakDirection* up)
    {
        if (client.NegotiatedCipherSuite != server.NegotiatedCipherSuite || client.IsResumed != server.IsResumed)
            Fail("both sides are complete, and do not agree");
        if (client.IsResumed != (session != null))
            Fail("a session was not resumed");
        if (client.EarlyDataStatus != server.EarlyDataStatus || (client.EarlyDataStatus == TlsEarlyDataStatus.None) == early)
            Fail($"early data is {client.EarlyDataStatus} for the client and {server.EarlyDataStatus} for the server");
        if (up->Received != (client.EarlyDataStatus == TlsEarlyDataStatus.Accepted ? up->Sent : 0))
            Fail($"{up->Received} of {up->Sent} bytes of early data came, which was {client.EarlyDataStatus}");
        // What was rejected is sent again, from the beginning.
        up->Sent = up->Received;
        if (which == SoakProfiles.WithClientCertificates && server.RemoteCertificate == null)
            Fail("the client has no certificate");
        Totals.Whole += client.IsResumed ? 0 : 1;
        Totals.Resumed += client.IsResumed ? 1 : 0;
        Totals.WithKey += client.PreSharedKeyIdentity.IsEmpty ? 0 : 1;
        Totals.WithClientCertificate += which == SoakProfiles.WithClientCertificates ? 1 : 0;
        Totals.Retried += client.WasRetried ? 1 : 0;
        Totals.Compressed += client.CertificateCompression == TlsCertificateCompression.None ? 0 : 1;
        Totals.EarlyAccepted += client.EarlyDataStatus == TlsEarlyDataStatus.Accepted ? 1 : 0;
        Totals.EarlyRejected += client.EarlyDataStatus == TlsEarlyDataStatus.Rejected ? 1 : 0;
    }

    /// <summary>Somebody has recorded the early data and sends it again: the guard knows it.</summary>
    private void CheckReplay(int which, byte[] recorded)
    {
        using var server = new TlsServer(_profiles.Servers[which]);
        byte[] output = new byte[1 << 16];
        for (int offset = 0; ;)
        {
            TlsStatus status = server.Handshake(recorded.AsSpan(offset), output, out int consumed, out _);
            offset += consumed;
            if (status == TlsStatus.EarlyData || server.EarlyDataStatus == TlsEarlyDataStatus.Accepted)
                Fail("early data was taken a second time");
            if (server.PendingWork is { IsDone: false } work)
                work.Execute();
            else if (status is TlsStatus.NeedMoreData or TlsStatus.Failed)
                break;
        }
        if (server.EarlyDataStatus != TlsEarlyDataStatus.Rejected || server.Error != null)
            Fail($"early data that was sent again is {server.EarlyDataStatus}: {server.Error}");
        Totals.ReplaysRefused++;
    }

    /// <summary>Some data and a KeyUpdate, while the connection is still here.</summary>
    private void Talk()
    {
        bool updates = _random.Next(4) == 0;
        for (int count = _random.Next(6); count > 0; count--)
        {
            SoakSide side = _random.Next(2) == 0 ? _client : _server;
            if (updates && count == 1)
                side.Connection.UpdateKeys(requestPeer: _random.Next(2) == 0);
            side.Write(_random.Next(4) == 0 ? _random.Next(TlsConnection.MaxPlaintextSize) : _random.Next(200));
            (_random.Next(2) == 0 ? _client : _server).Read(all: false);
        }
        _client.Read(all: true);
        _server.Read(all: true);
    }

    private void Keep(TlsClient client, int which)
    {
        while (client.TryTakeSession(out TlsSession? session))
        {
            if (_sessions[which].Count < MaxSessions)
                _sessions[which].Push(session);
            else
                session.Dispose();
        }
    }

    /// <summary>What is not read here, the lcore reads.</summary>
    private void LeaveSomethingUnderWay()
    {
        foreach (SoakSide side in (ReadOnlySpan<SoakSide>)[_client, _server])
        {
            if (_random.Next(2) == 0)
                side.Write(_random.Next(2000));
            while (side.Connection.HasPendingOutput)
                side.Flush();
        }
    }

    private void HandOver(SoakConnection* connection)
    {
        foreach ((SoakSide reader, int direction) in (ReadOnlySpan<(SoakSide, int)>)[(_server, 0), (_client, 1)])
        {
            SoakDirection* way = SoakConnection.Direction(connection, direction);
            way->Filled = reader.Input.Length;
            reader.Input.CopyTo(way->OnWire);
            way->UpdatedAt = way->Sent;
            way->UpdateSeenAt = way->Received;
            way->UpdatesSeen = way->Read.KeyUpdates;
        }
        connection->Generation++;
        connection->End = SoakEnd.None;
        connection->EndedBy = 0;
        connection->RecordsLeft = _random.Next(8) == 0 ? _random.Next(8_000) : _random.Next(1, 600);
    }

    private void Fail(string what) => throw new InvalidOperationException($"seed {_seed}, handshake {_count} ({_kind}): {what}");
}
