using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Dtls;

/// <summary>
/// A DTLS 1.2 PSK client that does as the test says: each flight is a list of datagrams that can be lost, doubled, spoiled or shuffled.
/// Timers are the test's.
/// </summary>
internal sealed unsafe class DtlsTestClient : IDisposable
{
    public static readonly byte[] Psk = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private readonly MemoryStream _transcript = new();
    private readonly byte[] _random = RandomNumberGenerator.GetBytes(32);
    private readonly byte[] _master = new byte[48];
    private readonly NativeBuffer _states = new(2 * DtlsTrafficState.SizeInBytes);
    private byte[] _serverRandom = [];
    private ulong _recordSequence;
    private ushort _messageSequence;
    private DtlsSuiteParameters _suite;
    private bool _extended;

    public AeadEngine Engine { get; } = AeadEngine.CreateDefault();

    public DtlsCipherSuite Suite { get; init; } = DtlsCipherSuite.PskAes128GcmSha256;

    public bool OffersExtendedMasterSecret { get; init; } = true;

    public ushort Version { get; init; } = DtlsRecordHeader.Version;

    public byte[] Key { get; init; } = Psk;

    public byte[] Identity { get; init; } = "psk"u8.ToArray();

    public byte[] SessionId { get; init; } = [.. Enumerable.Repeat((byte)7, 32)];

    public byte[] Cookie { get; private set; } = [];

    public byte[] WireCipherSuites { get; init; } = [];

    /// <summary>Bytes of a fragment's body at most.</summary>
    public int FragmentSize { get; init; } = 1000;

    public bool IsComplete { get; private set; }

    /// <summary>The alerts without protection that came.</summary>
    public List<byte> PlainAlerts { get; } = [];

    public DtlsTrafficState* Read => (DtlsTrafficState*)_states.Pointer;

    public DtlsTrafficState* Write => Read + 1;

    /// <summary>A ClientHello with the cookie that there is. Each call is a new message; sending one again is sending the same datagram.</summary>
    public byte[] Hello()
    {
        var body = new WireWriter();
        body.WriteUInt16(Version);
        body.WriteBytes(_random);
        body.WriteVector8(SessionId);
        body.WriteVector8(Cookie);
        body.WriteVector16(WireCipherSuites.Length != 0 ? WireCipherSuites : [(byte)((ushort)Suite >> 8), (byte)Suite, 0x00, 0xFF]);
        body.WriteVector8([0]);
        if (OffersExtendedMasterSecret)
            body.WriteVector16([0, 23, 0, 0]);
        byte[] message = DtlsHandshakeHeader.Whole(HandshakeType.ClientHello, _messageSequence++, body.Written);
        // RFC 6347 §4.2.1: the hello before the cookie is no part of the transcript.
        _transcript.SetLength(0);
        _transcript.Write(message);
        return PlainRecord(TlsContentType.Handshake, message);
    }

    /// <summary>Takes the cookie of a HelloVerifyRequest.</summary>
    public void TakeCookie(ReadOnlySpan<byte> answer)
    {
        Assert.True(DtlsRecordHeader.TryParse(answer, out _));
        Assert.True(DtlsHandshakeHeader.TryParse(answer[13..], out DtlsHandshakeHeader header, out ReadOnlySpan<byte> body));
        Assert.Equal(DtlsHandshakeType.HelloVerifyRequest, header.Type);
        Assert.Equal(body.Length - 3, body[2]);
        Cookie = body[3..].ToArray();
    }

    /// <summary>Takes a ServerHello and a ServerHelloDone; each is whole, or in fragments in their order.</summary>
    public void TakeServerHellos(IEnumerable<byte[]> datagrams)
    {
        var bodies = new SortedDictionary<int, (HandshakeType Type, byte[] Body)>();
        foreach ((DtlsHandshakeHeader header, byte[] fragment) in datagrams.SelectMany(Fragments))
        {
            if (!bodies.ContainsKey(header.MessageSequence))
                bodies[header.MessageSequence] = (header.Type, new byte[header.Length]);
            fragment.CopyTo(bodies[header.MessageSequence].Body, header.FragmentOffset);
        }
        Assert.Equal([HandshakeType.ServerHello, DtlsHandshakeType.ServerHelloDone], bodies.Values.Select(message => message.Type));
        foreach ((int sequence, (HandshakeType type, byte[] body)) in bodies)
            _transcript.Write(DtlsHandshakeHeader.Whole(type, (ushort)sequence, body));
        byte[] hello = bodies.Values.First().Body;
        _serverRandom = hello[2..34];
        Assert.Equal(0, hello[34]);
        _suite = DtlsSuiteParameters.Of((DtlsCipherSuite)((hello[35] << 8) | hello[36]));
        _extended = hello.Length > 40 && hello.AsSpan(38).IndexOf(new byte[] { 0, 23, 0, 0 }) >= 0;
    }

    /// <summary>ClientKeyExchange, ChangeCipherSpec and Finished, each of their fragments in a datagram of its own.</summary>
    public List<byte[]> KeyExchangeFlight()
    {
        var identity = new WireWriter();
        identity.WriteVector16(Identity);
        byte[] exchange = DtlsHandshakeHeader.Whole(DtlsHandshakeType.ClientKeyExchange, _messageSequence++, identity.Written);
        _transcript.Write(exchange);
        ReadOnlySpan<byte> sessionHash = _extended ? TranscriptHash() : [];
        DtlsPrf.MasterSecret(_suite.Hash, Key, sessionHash, _random, _serverRandom, _master);
        int key = _suite.KeyLength, iv = _suite.FixedIvLength;
        byte[] block = new byte[2 * (key + iv)];
        DtlsPrf.Derive(_suite.Hash, _master, "key expansion"u8, _serverRandom, _random, block);
        DtlsTrafficState.Initialize(Write, _suite.Suite, 1, block.AsSpan(0, key), block.AsSpan(2 * key, iv));
        DtlsTrafficState.Initialize(Read, _suite.Suite, 1, block.AsSpan(key, key), block.AsSpan((2 * key) + iv, iv));
        byte[] verifyData = new byte[12];
        DtlsPrf.VerifyData(_suite.Hash, _master, ofClient: true, TranscriptHash(), verifyData);
        byte[] finished = DtlsHandshakeHeader.Whole(HandshakeType.Finished, _messageSequence++, verifyData);
        _transcript.Write(finished);
        return
        [
            .. Cut(exchange).Select(fragment => PlainRecord(TlsContentType.Handshake, fragment)),
            PlainRecord(TlsContentType.ChangeCipherSpec, [1]),
            .. Cut(finished).Select(fragment => Seal(TlsContentType.Handshake, fragment)),
        ];
    }

    /// <summary>Takes ChangeCipherSpec and Finished of the server.</summary>
    public void TakeLastFlight(byte[] datagram)
    {
        Assert.True(DtlsRecordHeader.TryParse(datagram, out DtlsRecordHeader first));
        Assert.Equal(TlsContentType.ChangeCipherSpec, first.Type);
        (DtlsOpenStatus status, byte[] content) = Open(datagram[first.RecordLength..]);
        Assert.Equal(DtlsOpenStatus.Handshake, status);
        byte[] expected = new byte[12];
        DtlsPrf.VerifyData(_suite.Hash, _master, ofClient: false, TranscriptHash(), expected);
        Assert.Equal(expected, content[DtlsHandshakeHeader.Size..]);
        IsComplete = true;
    }

    /// <summary>Seals one record.</summary>
    public byte[] Seal(TlsContentType type, ReadOnlySpan<byte> content) => DtlsRecords.Seal(Engine, Write, type, content);

    /// <summary>Opens one record.</summary>
    public (DtlsOpenStatus Status, byte[] Content) Open(byte[] record) => DtlsRecords.Open(Engine, Read, record)[0];

    public byte[] PlainRecord(TlsContentType type, ReadOnlySpan<byte> content)
    {
        byte[] record = new byte[DtlsRecordSizes.Header + content.Length];
        new DtlsRecordHeader(type, 0, _recordSequence++, content.Length).Write(record);
        content.CopyTo(record.AsSpan(DtlsRecordSizes.Header));
        return record;
    }

    public void Dispose()
    {
        Read->Release(Engine);
        Write->Release(Engine);
        _states.Dispose();
        Engine.Dispose();
    }

    private IEnumerable<byte[]> Cut(byte[] message)
    {
        int length = message.Length - DtlsHandshakeHeader.Size;
        for (int offset = 0; offset < length; offset += FragmentSize)
        {
            int part = Math.Min(FragmentSize, length - offset);
            byte[] fragment = new byte[DtlsHandshakeHeader.Size + part];
            new DtlsHandshakeHeader((HandshakeType)message[0], length, (ushort)((message[4] << 8) | message[5]), offset, part).Write(fragment);
            message.AsSpan(DtlsHandshakeHeader.Size + offset, part).CopyTo(fragment.AsSpan(DtlsHandshakeHeader.Size));
            yield return fragment;
        }
    }

    private byte[] TranscriptHash()
    {
        byte[] digest = new byte[_suite.Hash.Length()];
        _suite.Hash.HashData(_transcript.ToArray(), digest);
        return digest;
    }

    private List<(DtlsHandshakeHeader Header, byte[] Fragment)> Fragments(byte[] datagram)
    {
        var fragments = new List<(DtlsHandshakeHeader, byte[])>();
        ReadOnlySpan<byte> rest = datagram;
        while (!rest.IsEmpty)
        {
            Assert.True(DtlsRecordHeader.TryParse(rest, out DtlsRecordHeader record));
            ReadOnlySpan<byte> content = rest.Slice(DtlsRecordSizes.Header, record.PayloadLength);
            rest = rest[record.RecordLength..];
            if (record.Type == TlsContentType.Alert)
            {
                PlainAlerts.Add(content[1]);
                continue;
            }
            Assert.True(DtlsHandshakeHeader.TryParse(content, out DtlsHandshakeHeader header, out ReadOnlySpan<byte> fragment));
            fragments.Add((header, fragment.ToArray()));
        }
        return fragments;
    }
}
