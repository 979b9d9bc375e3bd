using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Tls;

namespace CryptoPlane.Benchmarks.Tls.Handshakes;

/// <summary>Our client and server in one thread, with all of their public-key work; and one byte from the server behind the handshake.</summary>
internal sealed class HandshakeSubject : IBenchmarkSubject
{
    private const int BufferSize = 32 * 1024, MostTurns = 64;

    private readonly HandshakeCase _case;
    private readonly TlsServerOptions _server;
    private readonly TlsNamedGroup _group;
    private readonly byte[] _pin;
    private readonly byte[] _up = new byte[BufferSize], _down = new byte[BufferSize], _data = new byte[TlsConnection.MaxPlaintextSize];
    private TlsSession? _session;
    private int _upEnd, _downEnd;
    private bool _isRight = true;

    public HandshakeSubject(HandshakeCase what, TlsNamedGroup group = TlsNamedGroup.X25519)
    {
        _case = what;
        _group = group;
        _pin = what.Credentials.Pin;
        _server = new TlsServerOptions(new TlsCredential(what.Credentials.Certificate))
        {
            Groups = [group],
            CipherSuites = [TlsCipherSuite.Aes128GcmSha256],
            TicketProtector = what.Resume ? new TlsTicketKeyRing() : null,
            TicketCount = 1,
        };
        // The first connection of all has nothing to resume.
        _isRight = TryConnect(isFirst: true);
    }

    public string Name => $"CryptoPlane with {_group}";

    public int OperationsPerRun => 1;

    public bool Prepare() => false;

    public void Run() => _isRight &= TryConnect(isFirst: false);

    public void Verify()
    {
        if (!_isRight)
            throw new InvalidOperationException($"{_case.Name}: a handshake of ours did not come to its right end.");
    }

    public void Dispose() => _session?.Dispose();

    private bool TryConnect(bool isFirst)
    {
        using var client = new TlsClient(new TlsClientOptions(BenchmarkCredentials.ServerName)
        {
            Groups = [_group],
            CipherSuites = [TlsCipherSuite.Aes128GcmSha256],
            TrustedRoots = _case.Chain ? [_case.Credentials.Root] : null,
            PinnedKeys = _case.Chain ? [] : [_pin],
            TrustPinnedKeysAlone = !_case.Chain,
            KeepSessions = _case.Resume,
            Session = _session,
        });
        using var server = new TlsServer(_server);
        _upEnd = _downEnd = 0;
        for (int turn = 0; !(client.IsHandshakeComplete && server.IsHandshakeComplete); turn++)
        {
            if (turn == MostTurns || !Step(client, _down, ref _downEnd, _up, ref _upEnd) || !Step(server, _up, ref _upEnd, _down, ref _downEnd))
                return false;
        }
        server.Write([1], _down.AsSpan(_downEnd), out _, out int written);
        _downEnd += written;
        bool arrived = TryReadByte(client);
        if (_case.Resume && client.TryTakeSession(out TlsSession? next))
        {
            _session?.Dispose();
            _session = next;
        }
        return arrived && client.IsResumed == (_case.Resume && !isFirst);
    }

    private static bool Step(TlsConnection side, byte[] from, ref int fromEnd, byte[] to, ref int toEnd)
    {
        while (true)
        {
            TlsStatus status = side.Handshake(from.AsSpan(0, fromEnd), to.AsSpan(toEnd), out int consumed, out int written);
            from.AsSpan(consumed, fromEnd - consumed).CopyTo(from);
            fromEnd -= consumed;
            toEnd += written;
            if (status is TlsStatus.Complete or TlsStatus.NeedMoreData)
                return true;
            if (side.PendingWork is not { IsDone: false } work)
                return false;
            work.Execute();
        }
    }

    private bool TryReadByte(TlsClient client)
    {
        for (int at = 0; at < _downEnd;)
        {
            TlsStatus status = client.Read(_down.AsSpan(at, _downEnd - at), _data, out int consumed, out int read);
            if (read == 1)
                return true;
            if (status != TlsStatus.Complete || consumed == 0)
                return false;
            at += consumed;
        }
        return false;
    }
}
