using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Soak;

/// <summary>One side of a connection that is still on a control thread, and the bytes that wait for it.</summary>
internal sealed unsafe class SoakSide(Random random, Action<string> fail)
{
    private readonly byte[] _input = new byte[1 << 18];
    private readonly byte[] _text = new byte[2 * TlsConnection.MaxPlaintextSize];
    private int _inputLength;
    private SoakDirection* _way, _back;

    public TlsConnection Connection { get; private set; } = null!;

    /// <summary>The side that this one sends to.</summary>
    public SoakSide Peer { get; set; } = null!;

    /// <summary>What has come and is not consumed.</summary>
    public Span<byte> Input => _input.AsSpan(0, _inputLength);

    /// <summary>Bytes that this side has sent so far.</summary>
    public int SentBytes { get; private set; }

    public TlsStatus Status { get; private set; }

    /// <summary>Begins with another connection.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="way">What this side sends on.</param>
    /// <param name="back">What it receives on.</param>
    public void Begin(TlsConnection connection, SoakDirection* way, SoakDirection* back)
    {
        Connection = connection;
        _way = way;
        _back = back;
        _inputLength = SentBytes = 0;
        Status = TlsStatus.NeedMoreData;
    }

    /// <summary>One call of the handshake, with some of what has come, and what it asks for.</summary>
    /// <param name="earlyData">How much early data a client sends.</param>
    /// <returns>Whether anything happened.</returns>
    public bool Advance(ref int earlyData)
    {
        int visible = random.Next(3) == 0 ? random.Next(_inputLength + 1) : _inputLength;
        TlsStatus before = Status;
        Status = Connection.Handshake(_input.AsSpan(0, visible), Peer.Room, out int consumed, out int written);
        Consume(consumed);
        Deliver(written);
        bool moved = consumed + written != 0 || Status != before || visible != _inputLength + consumed;
        if (Connection.PendingWork is { IsDone: false } work)
        {
            work.Execute();
            moved = true;
        }
        if (Status == TlsStatus.EarlyData)
        {
            Take(_text.AsSpan(0, ((TlsServer)Connection).ReadEarlyData(_text)));
            moved = true;
        }
        if (earlyData > 0 && Connection is TlsClient { CanWriteEarlyData: true } client)
        {
            Span<byte> data = Next(Math.Min(earlyData, (int)client.EarlyDataRemaining));
            client.WriteEarlyData(data, Peer.Room, out consumed, out written);
            Deliver(written);
            _way->Sent += consumed;
            earlyData = 0;
            moved = true;
        }
        return moved;
    }

    /// <summary>Sends some data, which is received sooner or later.</summary>
    public void Write(int length)
    {
        TlsStatus status = Connection.Write(Next(length), Peer.Room, out int consumed, out int written);
        if (status != TlsStatus.Complete || consumed != length)
            fail($"Write gave {status} and took {consumed} of {length} bytes: {Connection.Error}");
        Deliver(written);
        _way->Sent += length;
    }

    /// <summary>Reads some or all of what has come.</summary>
    public void Read(bool all)
    {
        while (true)
        {
            int visible = all ? _inputLength : random.Next(_inputLength + 1), consumed, written;
            TlsStatus status = random.Next(2) == 0
                ? Connection.Read(_input.AsSpan(0, visible), _text, out consumed, out written)
                : Connection.ReadBurst(_input.AsSpan(0, visible), _text, out consumed, out written);
            Consume(consumed);
            Take(_text.AsSpan(0, written));
            if (status is not (TlsStatus.Complete or TlsStatus.NeedMoreData))
                fail($"Read gave {status}: {Connection.Error}");
            Flush();
            if (status == TlsStatus.NeedMoreData)
                return;
        }
    }

    /// <summary>Sends what is pending.</summary>
    public void Flush()
    {
        Connection.Flush(Peer.Room, out int written);
        Deliver(written);
    }

    /// <summary>Changes one bit of the last bytes that this side has sent and the other one has not consumed.</summary>
    public void Spoil(int count)
    {
        int index = Peer._inputLength - 1 - random.Next(Math.Min(count, Peer._inputLength));
        Peer._input[index] ^= (byte)(1 << random.Next(8));
    }

    private Span<byte> Room => _input.AsSpan(_inputLength);

    private void Deliver(int count)
    {
        Peer._inputLength += count;
        SentBytes += count;
    }

    private Span<byte> Next(int length)
    {
        Span<byte> data = _text.AsSpan(0, length);
        SoakStream.Fill(data, _way->Key, _way->Sent);
        return data;
    }

    private void Take(ReadOnlySpan<byte> data)
    {
        if (!SoakStream.IsRight(data, _back->Key, _back->Received))
            fail($"other bytes came than were sent, behind {_back->Received}");
        _back->Received += data.Length;
    }

    private void Consume(int count)
    {
        _input.AsSpan(count, _inputLength - count).CopyTo(_input);
        _inputLength -= count;
    }
}
