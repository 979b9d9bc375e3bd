using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// Drives a connection with whatever comes, in deliveries and destinations of any size, and watches its promises: an end to every call,
/// no exception, legal alerts, nothing read or written beyond the buffers, and that what failed stays failed.
/// </summary>
internal sealed class FuzzedConnection(TlsConnection connection, Random random)
{
    private const int MaxSteps = 200_000, OutputSize = 40_000, CanarySize = 64;
    private const byte Canary = 0xA5;

    // Sources lie at the end of a page that is followed by one that kills the process.
    [ThreadStatic]
    private static NativeBuffer? t_source;

    [ThreadStatic]
    private static byte[]? t_output;

    private readonly List<byte> _data = [], _earlyData = [];
    private byte[] _input = [];

    public TlsConnection Connection => connection;

    /// <summary>The application data that came out.</summary>
    public List<byte> Data => _data;

    /// <summary>The early data that came out.</summary>
    public List<byte> EarlyData => _earlyData;

    /// <summary>What the last call came to.</summary>
    public TlsStatus Status { get; private set; } = TlsStatus.NeedMoreData;

    /// <summary>Delivers bytes, and does whatever the connection then wants.</summary>
    /// <returns>What it sent.</returns>
    public byte[] Feed(ReadOnlySpan<byte> bytes)
    {
        _input = [.. _input, .. bytes];
        var sent = new List<byte>();
        bool wasPartial = random.Next(6) == 0;
        for (int step = 0; ; step++)
        {
            if (step == MaxSteps)
                throw new FuzzFindingException($"Nothing ends: the last status is {Status}.");
            int visible = wasPartial ? random.Next(_input.Length + 1) : _input.Length;
            wasPartial &= random.Next(4) != 0 && visible != _input.Length;
            Status = Call(visible, sent);
            if (connection.PendingWork is TlsCertificateDecision { IsDone: false } decision)
                Decide(decision);
            else if (connection.PendingWork is { IsDone: false } work)
                work.Execute();
            else if (Status == TlsStatus.EarlyData)
                TakeEarlyData();
            else if (Status == TlsStatus.Failed)
                return CheckFailed(sent);
            else if (Status == TlsStatus.Closed || (Status == TlsStatus.NeedMoreData && visible == _input.Length))
                return [.. sent];
            else if (Status == TlsStatus.NeedMoreData)
                wasPartial = random.Next(3) == 0;
        }
    }

    private TlsStatus Call(int visible, List<byte> sent)
    {
        NativeBuffer source = t_source ??= new NativeBuffer(1 << 20, GuardPage.Behind);
        byte[] output = t_output ??= new byte[OutputSize + CanarySize];
        if (visible > source.Length)
            throw new FuzzFindingException("A connection leaves more in its source than any record has.");
        Span<byte> input = source.Span[^visible..];
        _input.AsSpan(0, visible).CopyTo(input);
        bool reads = connection.IsHandshakeComplete;
        int room = reads || random.Next(10) != 0 ? OutputSize : random.Next(1, 100);
        output.AsSpan(room).Fill(Canary);
        TlsStatus status;
        int consumed, written;
        try
        {
            status = reads
                ? connection.Read(input, output.AsSpan(0, room), out consumed, out written)
                : connection.Handshake(input, output.AsSpan(0, room), out consumed, out written);
        }
        catch (Exception e) when (e is not FuzzFindingException)
        {
            throw new FuzzFindingException($"{e.GetType().Name} out of {(reads ? "Read" : "Handshake")}", e);
        }
        if (consumed < 0 || consumed > visible || written < 0 || written > room)
            throw new FuzzFindingException($"{consumed} of {visible} bytes were consumed, and {written} of {room} written.");
        if (output.AsSpan(room).ContainsAnyExcept(Canary))
            throw new FuzzFindingException("Something was written behind the destination.");
        if (!Enum.IsDefined(status) || status == TlsStatus.Failed != connection.Error is not null && status != TlsStatus.DestinationTooSmall)
            throw new FuzzFindingException($"The status is {status}, and the error {connection.Error}.");
        _input = _input[consumed..];
        (reads ? _data : sent).AddRange(output.AsSpan(0, written));
        if (reads && connection.HasPendingOutput)
            Flush(sent);
        return status;
    }

    private void Flush(List<byte> sent)
    {
        connection.Flush(t_output!, out int written);
        sent.AddRange(t_output.AsSpan(0, written));
    }

    private void TakeEarlyData()
    {
        byte[] room = new byte[random.Next(1, 1000)];
        int length = ((TlsServer)connection).ReadEarlyData(room);
        if (length == 0 || connection.EarlyDataStatus != TlsEarlyDataStatus.Accepted)
            throw new FuzzFindingException($"{length} bytes of early data came, which is {connection.EarlyDataStatus}.");
        _earlyData.AddRange(room.AsSpan(0, length));
    }

    private void Decide(TlsCertificateDecision decision)
    {
        if (random.Next(4) == 0)
            decision.Refuse(TlsAlert.AccessDenied);
        else
            decision.Accept();
    }

    private byte[] CheckFailed(List<byte> sent)
    {
        TlsError error = connection.Error!;
        // RFC 8446 §6.2: an alert that this side sends is one that there is.
        if (error.Kind != TlsErrorKind.PeerAlerted && !Enum.IsDefined(error.Alert))
            throw new FuzzFindingException($"The alert {error.Alert} does not exist.");
        if (error.Kind == TlsErrorKind.LocalFailure)
            throw new FuzzFindingException($"What the peer did became a failure of this side: {error}");
        while (connection.HasPendingOutput)
            Flush(sent);
        byte[] later = [23, 3, 3, 0, 20, .. new byte[20]], output = new byte[100];
        bool stays = connection.Read(later, new byte[TlsConnection.MaxPlaintextSize], out int consumed, out int written) == TlsStatus.Failed && consumed + written == 0
            && connection.Handshake(later, output, out consumed, out written) == TlsStatus.Failed && consumed + written == 0
            && connection.Write("late"u8, output, out consumed, out written) == TlsStatus.Failed && consumed + written == 0
            && !connection.IsHandshakeComplete && ReferenceEquals(connection.Error, error);
        return stays ? [.. sent] : throw new FuzzFindingException("A failed connection came back.");
    }
}
