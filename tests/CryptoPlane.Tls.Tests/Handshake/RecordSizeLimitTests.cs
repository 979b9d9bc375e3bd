using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>record_size_limit (RFC 8449): what each side is told is kept to by the other, in the handshake, behind it, and on lcores.</summary>
public sealed unsafe class RecordSizeLimitTests
{
    private const int Protection = AeadSizes.Tag;

    [Theory]
    [InlineData(64, 16_385)]
    [InlineData(16_385, 64)]
    [InlineData(64, 64)]
    [InlineData(65, 1_000)]
    [InlineData(16_384, 512)]
    [InlineData(16_385, 16_385)]
    public void Records_are_as_long_as_the_peer_is_ready_to_open(int clientLimit, int serverLimit)
    {
        using var pair = new TlsPair(Client(clientLimit), Server(serverLimit));
        int toServer = 0, toClient = 0;
        pair.OnClientBytes = bytes => Watch(bytes, ref toServer);
        pair.OnServerBytes = bytes => Watch(bytes, ref toClient);
        pair.Run();
        Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete, $"{pair.Client.Error} {pair.Server.Error}");
        Assert.InRange(toServer, 1, serverLimit + Protection);
        Assert.InRange(toClient, 1, clientLimit + Protection);
        pair.ReadTickets();
        Assert.Equal(serverLimit - 1, pair.Client.MaxWriteSize);
        Assert.Equal(clientLimit - 1, pair.Server.MaxWriteSize);

        byte[] data = new byte[40_000];
        new Random(7).NextBytes(data);
        foreach ((TlsConnection from, TlsConnection to, int limit) in new (TlsConnection, TlsConnection, int)[] { (pair.Client, pair.Server, serverLimit), (pair.Server, pair.Client, clientLimit) })
        {
            from.UpdateKeys();
            byte[] wire = new byte[100_000];
            Assert.Equal(TlsStatus.Complete, from.Write(data, wire, out int consumed, out int written));
            Assert.Equal(data.Length, consumed);
            int longest = 0;
            Watch(wire[..written], ref longest);
            Assert.Equal(limit + Protection, longest);
            Assert.Equal(data, TlsPair.Receive(to, wire.AsSpan(0, written), out _));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_record_beyond_the_limit_is_an_overflow_with_its_padding_counted(bool clientSends)
    {
        using var pair = new TlsPair(Client(100), Server(100));
        pair.Run();
        pair.ReadTickets();
        TlsConnection from = clientSends ? pair.Client : pair.Server, to = clientSends ? pair.Server : pair.Client;
        Assert.Equal(new byte[99], TlsPair.Send(from, to, new byte[99]));
        // As if this side had not understood the limit.
        from.Records.LimitRecords(100, TlsRecordSizes.MaxInnerPlaintext, presentKeys: true);
        Assert.Empty(TlsPair.Send(from, to, new byte[100]));
        Assert.Equal(TlsAlert.RecordOverflow, to.Error!.Alert);
    }

    [Fact]
    public void A_server_that_does_not_know_the_extension_is_bound_by_nothing()
    {
        using var client = new TlsClient(Client(64));
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        server.SendFlight();
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(TlsConnection.MaxPlaintextSize, client.MaxWriteSize);
        server.SendRecord(TlsContentType.ApplicationData, new byte[5000]);
        Assert.Equal(5000, TlsPair.Receive(client, server.Take(), out _).Length);
    }

    [Fact]
    public void A_client_of_a_later_version_may_open_longer_records_than_there_are()
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(TlsPair.ServerOptions());
        client.Send(client.Hello().Set(ExtensionType.RecordSizeLimit, 0xFF, 0xFF).ToMessage());
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
        Assert.Equal(TlsConnection.MaxPlaintextSize, server.MaxWriteSize);
    }

    [Fact]
    public void The_limits_go_along_to_the_lcore()
    {
        using var pair = new TlsPair(Client(200), Server(300));
        pair.Run();
        var states = (TlsTrafficState*)NativeMemory.AlignedAlloc(2 * TlsTrafficState.SizeInBytes, 64);
        using AeadEngine engine = AeadEngine.CreateDefault();
        pair.Server.DetachTraffic(states, states + 1);
        Assert.Equal(299, states[0].MaxContent);
        Assert.Equal(199, states[1].MaxContent);
        using var burst = new AeadBurst(4);
        byte* record = stackalloc byte[400];
        Assert.Equal(TlsRecordStatus.InvalidLength, TlsRecordWriter.TryAdd(burst, states + 1, TlsContentType.ApplicationData, record + 5, 200, record, 400, out _));
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.TryAdd(burst, states + 1, TlsContentType.ApplicationData, record + 5, 199, record, 400, out _));
        burst.Run(engine);
        states[0].Release(engine);
        states[1].Release(engine);
        NativeMemory.AlignedFree(states);
    }

    [Theory]
    [InlineData(63)]
    [InlineData(16_386)]
    [InlineData(-1)]
    public void Limits_outside_the_protocols_bounds_are_not_taken(int limit)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Client(limit));
        Assert.Throws<ArgumentOutOfRangeException>(() => Server(limit));
    }

    private static TlsClientOptions Client(int limit) => new(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], RecordSizeLimit = limit };

    private static TlsServerOptions Server(int limit) =>
        new(new TlsCredential(TestCertificates.EcdsaP256)) { RecordSizeLimit = limit, TicketProtector = new TlsTicketKeyRing() };

    /// <summary>Keeps the longest payload of a protected record.</summary>
    private static byte[] Watch(byte[] wire, ref int longest)
    {
        for (ReadOnlySpan<byte> rest = wire; !rest.IsEmpty;)
        {
            int payload = BinaryPrimitives.ReadUInt16BigEndian(rest[3..]);
            if (rest[0] == (byte)TlsContentType.ApplicationData)
                longest = Math.Max(longest, payload);
            rest = rest[(TlsRecordSizes.Header + payload)..];
        }
        return wire;
    }
}
