using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.IO;
using CryptoPlane.TestKit;
using CryptoPlane.Tls;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Cstp;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>A client in the test's own process: its end of a connection, its TLS record keys, and CSTP.</summary>
internal sealed unsafe class TestUser : IDisposable
{
    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly AeadBurst _burst = new(512);
    private readonly TlsRecordReader _reader = new(256);
    private readonly NativeBuffer _plain = new(1 << 15);
    private readonly NativeBuffer _record = new(1 << 15);
    private readonly NativeBuffer _states = new(2 * TlsTrafficState.SizeInBytes);
    private readonly List<byte> _stream = [];
    private bool _socketOpen = true;

    /// <summary>Makes a connection; the broker's socket and traffic states are for a tunnel.</summary>
    public TestUser(int seed, TlsCipherSuite suite = TlsCipherSuite.Aes128GcmSha256, int brokerSendBuffer = 0)
    {
        (BrokerSocket, ClientSocket) = SocketPair.Create(brokerSendBuffer);
        byte[] toBroker = new byte[suite == TlsCipherSuite.Aes256GcmSha384 ? 48 : 32];
        byte[] toClient = new byte[toBroker.Length];
        var random = new Random(seed);
        random.NextBytes(toBroker);
        random.NextBytes(toClient);
        BrokerStates = (TlsTrafficState*)NativeMemory.AlignedAlloc(2 * TlsTrafficState.SizeInBytes, 64);
        TlsTrafficState.Initialize(BrokerStates, suite, toBroker, TlsTrafficUse.ReadAsServer);
        TlsTrafficState.Initialize(BrokerStates + 1, suite, toClient, TlsTrafficUse.Write);
        TlsTrafficState.Initialize(Read, suite, toClient, TlsTrafficUse.ReadAsClient);
        TlsTrafficState.Initialize(Write, suite, toBroker, TlsTrafficUse.Write);
    }

    /// <summary>The tunnel's slot, once it is attached.</summary>
    public int Slot { get; set; }

    public int BrokerSocket { get; }

    public int ClientSocket { get; }

    /// <summary>[0] opens what this client sends, [1] seals what it gets; freed by whoever takes the tunnel.</summary>
    public TlsTrafficState* BrokerStates { get; }

    /// <summary><see cref="BrokerStates"/> as a request carries it.</summary>
    public nint StatesAddress => (nint)BrokerStates;

    /// <summary>Frames received so far.</summary>
    public List<(CstpType Type, byte[] Payload)> Frames { get; } = [];

    /// <summary>Inner packets received so far.</summary>
    public List<byte[]> Packets => [.. Frames.Where(frame => frame.Type == CstpType.Data).Select(frame => frame.Payload)];

    /// <summary>Whether the broker has closed its direction.</summary>
    public bool EndOfStream { get; private set; }

    /// <summary>close_notify, or the alert that was received; null for none.</summary>
    public TlsAlert? Alert { get; private set; }

    private TlsTrafficState* Read => (TlsTrafficState*)_states.Pointer;

    private TlsTrafficState* Write => (TlsTrafficState*)_states.Pointer + 1;

    /// <summary>The record of a frame.</summary>
    public byte[] Seal(CstpType type, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[CstpFrame.HeaderSize + payload.Length];
        fixed (byte* header = frame)
            CstpFrame.WriteHeader(header, type, payload.Length);
        payload.CopyTo(frame.AsSpan(CstpFrame.HeaderSize));
        return SealRaw(frame);
    }

    /// <summary>A record of any application data.</summary>
    public byte[] SealRaw(ReadOnlySpan<byte> content)
    {
        content.CopyTo(_plain.Span);
        _burst.Clear();
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.TryAdd(
            _burst, Write, TlsContentType.ApplicationData, _plain.Pointer, content.Length, _record.Pointer, _record.Length, out int length));
        _burst.Run(_engine);
        return _record.Span[..length].ToArray();
    }

    /// <summary>Seals the same content many times, side by side, without allocating.</summary>
    /// <returns>Bytes written.</returns>
    public int SealMany(byte* content, int length, int count, byte* destination, int capacity)
    {
        _burst.Clear();
        int used = 0;
        for (int i = 0; i < count; i++)
        {
            if (TlsRecordWriter.TryAdd(_burst, Write, TlsContentType.ApplicationData, content, length, destination + used, capacity - used, out int record) != TlsRecordStatus.Added)
                throw new InvalidOperationException("The record was not sealed.");
            used += record;
        }
        _burst.Run(_engine);
        return used;
    }

    /// <summary>The record of a KeyUpdate; what is sealed next has the new key.</summary>
    public byte[] SealKeyUpdate(bool requestUpdate)
    {
        _burst.Clear();
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.PrepareKeyUpdate(_burst, Write, requestUpdate, _record.Pointer, _record.Length, out int length));
        _burst.Run(_engine);
        TlsRecordWriter.CompleteKeyUpdate(Write, _engine);
        return _record.Span[..length].ToArray();
    }

    /// <summary>Sends an inner packet.</summary>
    public void SendPacket(ReadOnlySpan<byte> packet) => Send(Seal(CstpType.Data, packet));

    /// <summary>Sends bytes as they are.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            Assert.Equal(IoStatus.Done, TcpSocket.Send(ClientSocket, first, bytes.Length, out int sent));
            Assert.Equal(bytes.Length, sent);
        }
    }

    /// <summary>Reads what is there, up to a number of bytes, and opens the records that are whole.</summary>
    /// <returns>Bytes read.</returns>
    public int Receive(int limit = int.MaxValue)
    {
        byte* buffer = stackalloc byte[8192];
        int total = 0;
        while (total < limit && !EndOfStream)
        {
            IoStatus status = TcpSocket.Receive(ClientSocket, buffer, Math.Min(8192, limit - total), out int received);
            if (status == IoStatus.WouldBlock)
                break;
            EndOfStream = status != IoStatus.Done;
            _stream.AddRange(new ReadOnlySpan<byte>(buffer, received));
            total += received;
        }
        OpenRecords();
        return total;
    }

    /// <summary>Closes the client's end, as a network that goes away does.</summary>
    public void CloseSocket()
    {
        if (_socketOpen)
            TcpSocket.Close(ClientSocket);
        _socketOpen = false;
    }

    public void Dispose()
    {
        CloseSocket();
        Read->Release(_engine);
        Write->Release(_engine);
        _reader.Dispose();
        _burst.Dispose();
        _engine.Dispose();
        _plain.Dispose();
        _record.Dispose();
        _states.Dispose();
    }

    private void OpenRecords()
    {
        byte[] bytes = [.. _stream];
        int consumed = 0;
        while (TlsRecordHeader.TryParse(bytes.AsSpan(consumed), true, out TlsRecordHeader header) == TlsRecordHeaderStatus.Complete)
        {
            bytes.AsSpan(consumed, header.RecordLength).CopyTo(_record.Span);
            consumed += header.RecordLength;
            _burst.Clear();
            _reader.Clear();
            Assert.True(_reader.TryAdd(_burst, Read, _record.Pointer, header.RecordLength, _plain.Pointer, 0));
            _burst.Run(_engine);
            for (int first = _burst.Count; _reader.Complete(_burst, _engine); first = _burst.Count)
                _burst.Run(_engine, first);
            TlsOpenedRecord record = _reader[0];
            switch (record.Status)
            {
                case TlsOpenStatus.Opened:
                    Assert.Equal(CstpStatus.Ok, CstpFrame.TryParse(record.Data, record.Length, out CstpType type));
                    Frames.Add((type, record.Content[CstpFrame.HeaderSize..].ToArray()));
                    break;
                case TlsOpenStatus.CloseNotify or TlsOpenStatus.PeerAlert:
                    Alert = record.Alert;
                    break;
                default:
                    Assert.Equal(TlsOpenStatus.Handled, record.Status);
                    break;
            }
        }
        _stream.RemoveRange(0, consumed);
    }
}
