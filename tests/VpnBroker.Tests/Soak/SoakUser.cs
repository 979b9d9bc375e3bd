using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.IO;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Cstp;

namespace VpnBroker.Tests.Soak;

/// <summary>A user with an inner address, on one connection after the other, who checks everything that arrives. Driven by one thread.</summary>
internal sealed unsafe class SoakUser : IDisposable
{
    private const int BufferSize = 1 << 15, RecordRoom = 2048;

    /// <summary>Packets of one connection at most: the number of a packet has 16 bits.</summary>
    private const int MostPackets = 60_000;

    /// <summary>Of so many packets of a flow, up to the last one, it is known which have come.</summary>
    private const int Remembered = 64;

    private readonly SoakWire _wire;
    private readonly SoakSite _site;
    private readonly int _lcore;
    private readonly NativeBuffer _states = new(2 * TlsTrafficState.SizeInBytes);
    private readonly NativeBuffer _in = new(BufferSize);
    private readonly NativeBuffer _out = new(BufferSize);
    private readonly int[] _numbers;
    private readonly int[] _seenGeneration;
    private readonly int[] _seenNumber;

    /// <summary>Bit n: whether the packet n before the last one was seen.</summary>
    private readonly ulong[] _seenBefore;

    private Task _attached = Task.CompletedTask;
    private int _socket = -1;
    private int _inCount;
    private int _outStart;
    private int _outEnd;
    private int _packets;

    public SoakUser(SoakWire wire, SoakSite site, int index, int users, uint address, int lcore)
    {
        (_wire, _site, _lcore, Index, Address) = (wire, site, lcore, index, address);
        _numbers = new int[users];
        _seenGeneration = new int[users];
        _seenNumber = new int[users];
        _seenBefore = new ulong[users];
        // Touched now, so that they do not look like growth later.
        _in.Span.Fill(1);
        _out.Span.Fill(1);
    }

    public int Index { get; }

    public int Site => _site.Number;

    public uint Address { get; }

    /// <summary>Counts this user's connections.</summary>
    public int Generation { get; private set; }

    public ulong TunnelId { get; private set; }

    public bool IsOnline => _socket >= 0;

    /// <summary>Whether all that was sealed has left.</summary>
    public bool IsFlushed => _outStart == _outEnd;

    /// <summary>Well-formed packets sent, and packets received, on this connection.</summary>
    public ulong WellFormed { get; private set; }

    public ulong Received { get; private set; }

    /// <summary>The turn until which this user does not read.</summary>
    public long SilentUntil { get; set; }

    private TlsTrafficState* Read => (TlsTrafficState*)_states.Pointer;

    private TlsTrafficState* Write => (TlsTrafficState*)_states.Pointer + 1;

    /// <summary>Makes a connection with new keys and gives the broker's end to the data plane; a connection that is there is replaced.</summary>
    public void Connect(bool slow)
    {
        int old = _socket;
        ForgetConnection();
        Generation++;
        Array.Clear(_numbers);
        var broker = (TlsTrafficState*)NativeMemory.AlignedAlloc(2 * TlsTrafficState.SizeInBytes, 64);
        _wire.Handshake.Run(Read, broker);
        (_socket, int brokerEnd) = _wire.Connect(slow ? 8192 : 0);
        TunnelId = (ulong)++_wire.Connections;
        _attached = _site.Host.AttachUserAsync(new UserTunnelRequest
        {
            TunnelId = TunnelId, SessionId = (ulong)Index, User = $"user{Index}", Lcore = _lcore, Socket = brokerEnd, TrafficStates = (nint)broker, Unread = [],
            InnerIPv4 = new IPAddress(BinaryPrimitives.ReverseEndianness(Address)), Mtu = SoakPacket.Mtu, DpdSeconds = 0, KeepaliveSeconds = 0, IdleSeconds = 0,
            UnsentBytes = 49_152,
        });
        if (old >= 0)
        {
            _attached.GetAwaiter().GetResult();
            TcpSocket.Close(old);
        }
    }

    /// <summary>Resets the connection, in the middle of whatever there is.</summary>
    public void Reset()
    {
        _attached.GetAwaiter().GetResult();
        TcpSocket.Close(_socket);
        ForgetConnection();
    }

    /// <summary>Says farewell; the broker's close follows.</summary>
    public void Leave()
    {
        Seal([], CstpType.Disconnect);
        SendUntilEnd();
    }

    /// <summary>Sends bytes that are no record of this connection: the broker must end it, and everything before counts.</summary>
    public void SendGarbage(Random random)
    {
        byte[] garbage = new byte[random.Next(32, 300)];
        random.NextBytes(garbage);
        if (random.Next(2) == 0)
        {
            // A header that is right, and a record that does not open.
            garbage[0] = 23;
            BinaryPrimitives.WriteUInt16BigEndian(garbage.AsSpan(1), 0x0303);
            BinaryPrimitives.WriteUInt16BigEndian(garbage.AsSpan(3), (ushort)(garbage.Length - 5));
        }
        else
        {
            garbage[0] = 99;
        }
        garbage.CopyTo(_out.Span[_outEnd..]);
        _outEnd += garbage.Length;
        SendUntilEnd();
    }

    /// <summary>Whether another few packets can be sealed now.</summary>
    public bool CanSend => IsOnline && IsFlushed && _packets < MostPackets;

    public bool IsUsedUp => _packets >= MostPackets;

    public void SendGenuine(SoakUser to)
    {
        Span<byte> packet = stackalloc byte[SoakPacket.Mtu];
        int length = SoakPacket.Write(packet, _wire.Seed, this, to, ++_numbers[to.Index]);
        _packets++;
        _wire.Sent++;
        WellFormed++;
        Seal(packet[..length], CstpType.Data);
    }

    /// <summary>Sends a packet that must not arrive anywhere.</summary>
    public void SendPoison(SoakUser to, SoakUser victim, Random random)
    {
        int kind = random.Next(8);
        Span<byte> packet = stackalloc byte[kind == 0 ? SoakPacket.Mtu + random.Next(1, 100) : random.Next(SoakPacket.HeaderSize, SoakPacket.Mtu)];
        random.NextBytes(packet);
        SoakPacket.WriteHeader(packet, kind is 1 or 2 ? victim.Address : Address, kind == 3 ? 0xC000_0201 : to.Address, SoakPacket.Poison);
        switch (kind)
        {
            case 4:
                packet[8] = 1;
                SoakPacket.FixChecksum(packet);
                break;
            case 5:
                packet[random.Next(10, SoakPacket.HeaderSize)] ^= (byte)(1 << random.Next(8));
                break;
            case 6:
                BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)(packet.Length + 1));
                SoakPacket.FixChecksum(packet);
                break;
            case 7:
                packet[0] = (byte)random.Next(0x40);
                break;
        }
        _wire.Attacks++;
        WellFormed += kind <= 4 ? 1u : 0;
        Seal(packet, CstpType.Data);
    }

    public void SendKeyUpdate(bool requestUpdate)
    {
        _wire.Burst.Clear();
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.PrepareKeyUpdate(_wire.Burst, Write, requestUpdate, _out.Pointer + _outEnd, BufferSize - _outEnd, out int length));
        _wire.Burst.Run(_wire.Engine);
        TlsRecordWriter.CompleteKeyUpdate(Write, _wire.Engine);
        _outEnd += length;
        _wire.KeyUpdates++;
    }

    /// <summary>Sends what is sealed, as far as the socket takes it.</summary>
    public void Flush()
    {
        if (!IsOnline || IsFlushed)
            return;
        IoStatus status = TcpSocket.Send(_socket, _out.Pointer + _outStart, _outEnd - _outStart, out int sent);
        Assert.True(status is IoStatus.Done or IoStatus.WouldBlock, $"{this}: the broker closed the connection for no reason");
        _outStart += sent;
        if (IsFlushed)
            _outStart = _outEnd = 0;
    }

    /// <summary>Reads what is there and checks it.</summary>
    /// <returns>False at the end of the connection.</returns>
    public bool Receive(IReadOnlyList<SoakUser> users, bool endExpected = false)
    {
        if (!IsOnline)
            return false;
        IoStatus status = TcpSocket.Receive(_socket, _in.Pointer + _inCount, BufferSize - _inCount, out int received);
        if (status == IoStatus.WouldBlock)
            return true;
        if (status != IoStatus.Done)
        {
            Assert.True(endExpected, $"{this}: the broker ended the connection for no reason ({status})");
            return false;
        }
        _inCount += received;
        OpenRecords(users, endExpected);
        return true;
    }

    /// <summary>Ends a connection whose end the broker has confirmed.</summary>
    public void Close()
    {
        TcpSocket.Close(_socket);
        ForgetConnection();
    }

    public override string ToString() => $"seed {_wire.Seed}, user {Index} of site {Site} ({Address >> 24}.{Address >> 16 & 255}.{Address >> 8 & 255}.{Address & 255}), connection {Generation}";

    public void Dispose()
    {
        if (IsOnline)
            Close();
        _states.Dispose();
        _in.Dispose();
        _out.Dispose();
    }

    private void Seal(ReadOnlySpan<byte> payload, CstpType type)
    {
        byte* frame = _wire.Plain.Pointer;
        CstpFrame.WriteHeader(frame, type, payload.Length);
        payload.CopyTo(_wire.Plain.Span[CstpFrame.HeaderSize..]);
        _wire.Burst.Clear();
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.TryAdd(
            _wire.Burst, Write, TlsContentType.ApplicationData, frame, CstpFrame.HeaderSize + payload.Length, _out.Pointer + _outEnd, BufferSize - _outEnd, out int length));
        _wire.Burst.Run(_wire.Engine);
        _outEnd += length;
        Assert.True(_outEnd + RecordRoom < BufferSize, "a turn seals more than the buffer takes");
    }

    private void SendUntilEnd()
    {
        Eventually.True(() =>
        {
            if (IsFlushed)
                return true;
            IoStatus status = TcpSocket.Send(_socket, _out.Pointer + _outStart, _outEnd - _outStart, out int sent);
            _outStart += sent;
            return status is not (IoStatus.Done or IoStatus.WouldBlock);
        }, $"{this}: the socket takes what is left");
    }

    private void ForgetConnection()
    {
        Read->Release(_wire.Engine);
        Write->Release(_wire.Engine);
        _socket = -1;
        _inCount = _outStart = _outEnd = _packets = 0;
        WellFormed = Received = 0;
        SilentUntil = 0;
    }

    private void OpenRecords(IReadOnlyList<SoakUser> users, bool endExpected)
    {
        _wire.Burst.Clear();
        _wire.Reader.Clear();
        int used = 0, consumed = 0;
        while (TlsRecordHeader.TryParse(_in.Span[consumed.._inCount], true, out TlsRecordHeader header) == TlsRecordHeaderStatus.Complete
            && _wire.Reader.TryAdd(_wire.Burst, Read, _in.Pointer + consumed, header.RecordLength, _wire.Plain.Pointer + used, 0))
        {
            used += header.RecordLength;
            consumed += header.RecordLength;
        }
        _wire.Burst.Run(_wire.Engine);
        for (int first = _wire.Burst.Count; _wire.Reader.Complete(_wire.Burst, _wire.Engine); first = _wire.Burst.Count)
            _wire.Burst.Run(_wire.Engine, first);
        for (int i = 0; i < _wire.Reader.Count; i++)
        {
            TlsOpenedRecord record = _wire.Reader[i];
            if (record.Status == TlsOpenStatus.Opened)
                Take(record, users);
            else
                Assert.True(record.Status == TlsOpenStatus.Handled || endExpected, $"{this}: a record came out as {record.Status}, alert {record.Alert}");
        }
        _in.Span[consumed.._inCount].CopyTo(_in.Span);
        _inCount -= consumed;
    }

    private void Take(in TlsOpenedRecord record, IReadOnlyList<SoakUser> users)
    {
        Assert.Equal(CstpStatus.Ok, CstpFrame.TryParse(record.Data, record.Length, out CstpType type));
        if (type != CstpType.Data)
            return;
        ReadOnlySpan<byte> packet = record.Content[CstpFrame.HeaderSize..];
        Received++;
        uint source = BinaryPrimitives.ReadUInt32BigEndian(packet[12..]), destination = BinaryPrimitives.ReadUInt32BigEndian(packet[16..]);
        if (destination != Address)
            Assert.Fail($"{this}: a packet for {new IPAddress(BinaryPrimitives.ReverseEndianness(destination))} was delivered here");
        if (packet[9] == SoakPacket.Icmp)
        {
            // An error is about a packet of this user's own.
            Assert.Equal(Address, BinaryPrimitives.ReadUInt32BigEndian(packet[(SoakPacket.HeaderSize + 8 + 12)..]));
            _wire.Errors++;
            return;
        }
        if (packet[9] != SoakPacket.Genuine)
            Assert.Fail($"{this}: a packet that should have been dropped was delivered: {Convert.ToHexString(packet[..SoakPacket.HeaderSize])}");
        CheckFlow(packet, users.FirstOrDefault(user => user.Address == source) ?? throw new InvalidOperationException($"{this}: a packet from an address that nobody has"));
        _wire.Delivered++;
    }

    private void CheckFlow(ReadOnlySpan<byte> packet, SoakUser from)
    {
        int number = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        byte hops = from.Site == Site ? (byte)1 : (byte)2;
        string? wrong = SoakPacket.Check(packet, _wire.Seed, from.Index, Index, (byte)(SoakPacket.HopLimit - hops));
        if (wrong != null)
            Assert.Fail($"{this}: packet {number} from user {from.Index}: {wrong}");
        ref int seenGeneration = ref _seenGeneration[from.Index];
        int step = ((packet[1] >> 2) - seenGeneration) & (SoakPacket.Generations - 1);
        int ahead = step == 0 ? number - _seenNumber[from.Index] : Remembered;
        if (ahead <= 0)
        {
            TakeLate(from, number, -ahead);
            return;
        }
        seenGeneration += step;
        if (seenGeneration > from.Generation && seenGeneration - SoakPacket.Generations < from.Generation - SoakPacket.Generations / 2)
            Assert.Fail($"{this}: packet {number} from user {from.Index} is of a connection before the last one that sent");
        _seenNumber[from.Index] = number;
        _seenBefore[from.Index] = ahead < Remembered ? _seenBefore[from.Index] << ahead | 1 : 1;
    }

    /// <summary>
    /// A packet behind its successors: right only by ESP, for the first time, and where the kernel had lost it before the site read it. The replay
    /// window then takes the copy that somebody sends (RFC 4303 §3.4.3); the sums tell in the end whether there were so many losses.
    /// </summary>
    private void TakeLate(SoakUser from, int number, int behind)
    {
        ref ulong seen = ref _seenBefore[from.Index];
        bool isFirst = behind < Remembered && (seen >> behind & 1) == 0;
        if (from.Site == Site || !isFirst)
            Assert.Fail($"{this}: packet {number} from user {from.Index} came after packet {_seenNumber[from.Index]}, for the {(isFirst ? "first" : "second")} time");
        seen |= 1UL << behind;
        _site.Late++;
    }
}
