using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Dtls;

/// <summary>Handshakes on a network that delivers, loses, doubles, delays and forges.</summary>
public sealed unsafe class DtlsHandshakeTests
{
    public static TheoryData<DtlsCipherSuite, bool> Suites => new MatrixTheoryData<DtlsCipherSuite, bool>(
        Enum.GetValues<DtlsCipherSuite>().Where(suite => suite != DtlsCipherSuite.None), [false, true]);

    [Theory]
    [MemberData(nameof(Suites))]
    public void Data_flows_both_ways_behind_a_handshake(DtlsCipherSuite suite, bool extendedMasterSecret)
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient { Suite = suite, OffersExtendedMasterSecret = extendedMasterSecret };
        Complete(server, client);
        Assert.Equal(suite, server.Server!.NegotiatedCipherSuite);
        Assert.Equal(extendedMasterSecret, server.Server.UsesExtendedMasterSecret);
        Assert.Equal(0, server.Server.DroppedRecords);
        Exchange(server, client);
    }

    [Fact]
    public void The_hello_says_what_the_association_is_for_and_a_cookie_is_asked_for_first()
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient { SessionId = [1, 2, 3] };
        client.TakeCookie(Assert.Single(server.Receive(client.Hello())));
        Assert.Null(server.Server);
        byte[] answer = new byte[DtlsHelloGate.AnswerSize];
        byte[] second = client.Hello();
        Assert.Equal(DtlsHelloStatus.Accepted, server.Gate.Check(second, [127, 0, 0, 1, 0x12, 0x34], server.Now, answer, out DtlsClientHello? hello));
        Assert.Equal([1, 2, 3], hello!.SessionId.ToArray());
        // Not from another port, and not when its time is over.
        Assert.Equal(DtlsHelloStatus.SendAnswer, server.Gate.Check(second, [127, 0, 0, 1, 0x12, 0x35], server.Now, answer, out _));
        Assert.Equal(DtlsHelloStatus.Accepted, server.Gate.Check(second, [127, 0, 0, 1, 0x12, 0x34], server.Now + 60_000, answer, out _));
        Assert.Equal(DtlsHelloStatus.SendAnswer, server.Gate.Check(second, [127, 0, 0, 1, 0x12, 0x34], server.Now + 121_000, answer, out _));
    }

    [Fact]
    public void A_lost_flight_of_the_server_is_sent_again_with_growing_pauses_and_new_record_numbers()
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient();
        client.TakeCookie(server.Receive(client.Hello())[0]);
        byte[] hello = client.Hello();
        List<byte[]> first = server.Receive(hello);
        long start = server.Now;
        var numbers = new List<ulong> { NumberOf(first[0]) };
        foreach (int seconds in new[] { 1, 3, 7, 15 })
        {
            numbers.Add(NumberOf(server.AdvanceToDeadline()[0]));
            Assert.Equal(start + (seconds * 1000), server.Now);
        }
        // The client that got none of them asks again: it is answered at once.
        List<byte[]> again = server.Receive(hello);
        numbers.Add(NumberOf(again[0]));
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        client.TakeServerHellos(again);
        Finish(server, client);
    }

    [Fact]
    public void A_handshake_without_end_fails_in_time()
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient();
        client.TakeCookie(server.Receive(client.Hello())[0]);
        server.Receive(client.Hello());
        for (int i = 0; i < 50 && server.Server!.Error == null; i++)
            server.AdvanceToDeadline();
        Assert.Equal(TlsErrorKind.LocalFailure, server.Server!.Error!.Kind);
        Assert.Equal(long.MaxValue, server.Server.NextDeadline);
        Assert.Equal(1_030_000, server.Now);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_datagram_of_the_clients_last_flight_may_be_lost(int lost)
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient();
        List<byte[]> flight = UpToKeyExchange(server, client);
        List<byte[]> answers = [.. flight.Where((_, i) => i != lost).SelectMany(server.Receive)];
        // Without its ChangeCipherSpec alone it is complete: what is in epoch 1 says so itself.
        Assert.Equal(lost == 1, server.Server!.IsComplete);
        if (lost != 1)
            answers = [.. flight.SelectMany(server.Receive)];
        client.TakeLastFlight(answers[0]);
        server.Detach();
        Exchange(server, client);
    }

    [Fact]
    public void A_lost_last_flight_is_sent_again_when_the_client_asks_and_not_for_ever()
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient();
        List<byte[]> flight = UpToKeyExchange(server, client);
        byte[] lost = Assert.Single(flight.SelectMany(server.Receive));
        server.Detach();
        byte[] again = Assert.Single(flight.SelectMany(server.Receive));
        Assert.Equal(lost, again);
        client.TakeLastFlight(again);
        Exchange(server, client);
        Assert.InRange(Enumerable.Range(0, 100).Sum(_ => flight.Sum(datagram => server.Receive(datagram).Count)), 1, 20);
    }

    [Fact]
    public void Everything_may_come_twice_and_backwards()
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient();
        List<byte[]> flight = UpToKeyExchange(server, client);
        flight.Reverse();
        List<byte[]> answers = [.. flight.SelectMany(datagram => server.Receive(datagram).Concat(server.Receive(datagram)))];
        client.TakeLastFlight(answers[0]);
        server.Detach();
        Exchange(server, client);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Messages_may_come_in_fragments_in_any_order(int size)
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient { FragmentSize = size };
        List<byte[]> flight = UpToKeyExchange(server, client);
        var random = new Random(5);
        List<byte[]> answers = [];
        // Early Finished fragments beyond the first are dropped, so that a real client's next attempt brings them.
        for (int attempt = 0; attempt < 2; attempt++)
        {
            byte[][] shuffled = [.. flight];
            random.Shuffle(shuffled);
            answers.AddRange(shuffled.SelectMany(server.Receive));
        }
        client.TakeLastFlight(answers[0]);
        server.Detach();
        Exchange(server, client);
    }

    [Fact]
    public void A_flight_may_come_in_one_datagram_and_the_servers_in_fragments()
    {
        using var server = new DtlsTestServer(new DtlsServerOptions { Identity = "psk"u8.ToArray(), MaxDatagram = DtlsServerOptions.MinDatagram });
        using var client = new DtlsTestClient();
        List<byte[]> flight = UpToKeyExchange(server, client);
        client.TakeLastFlight(Assert.Single(server.Receive([.. flight.SelectMany(datagram => datagram)])));
        server.Detach();
        Exchange(server, client);
    }

    [Fact]
    public void Long_messages_are_cut_into_datagrams()
    {
        var flight = new DtlsFlight();
        byte[] body = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];
        flight.Add(DtlsHandshakeHeader.Whole((HandshakeType)2, 4, body));
        flight.Add(DtlsHandshakeHeader.Whole((HandshakeType)14, 5, []));
        var datagrams = new Queue<byte[]>();
        ulong sequence = 9;
        flight.Send(256, ref sequence, datagrams);
        var joiner = new DtlsReassembler();
        byte[] joined = [];
        int seen = 0;
        foreach (byte[] datagram in datagrams)
        {
            Assert.InRange(datagram.Length, 1, 256);
            for (ReadOnlySpan<byte> rest = datagram; !rest.IsEmpty; seen++)
            {
                Assert.True(DtlsRecordHeader.TryParse(rest, out DtlsRecordHeader record));
                Assert.Equal(9 + (ulong)seen, record.Sequence);
                Assert.True(DtlsHandshakeHeader.TryParse(rest.Slice(13, record.PayloadLength), out DtlsHandshakeHeader header, out ReadOnlySpan<byte> fragment));
                rest = rest[record.RecordLength..];
                if (header.MessageSequence == 4 && joiner.TryAdd(header, fragment, out byte[] whole))
                    joined = whole;
            }
        }
        Assert.Equal(body, joined);
        Assert.Equal(9 + (ulong)seen, sequence);
    }

    [Fact]
    public void Forged_datagrams_end_nothing()
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient();
        List<byte[]> flight = UpToKeyExchange(server, client);
        byte[] fatal = client.PlainRecord(TlsContentType.Alert, [2, 40]);
        byte[] data = client.PlainRecord(TlsContentType.ApplicationData, [1, 2, 3]);
        byte[] otherIdentity = client.PlainRecord(TlsContentType.Handshake, DtlsHandshakeHeader.Whole(DtlsHandshakeType.ClientKeyExchange, 2, [0, 1, (byte)'x']));
        byte[] cutIdentity = client.PlainRecord(TlsContentType.Handshake, DtlsHandshakeHeader.Whole(DtlsHandshakeType.ClientKeyExchange, 2, [0, 9, (byte)'x']));
        byte[] second = client.PlainRecord(TlsContentType.Handshake, DtlsHandshakeHeader.Whole(DtlsHandshakeType.ClientKeyExchange, 3, [0, 3, (byte)'p', (byte)'s', (byte)'k']));
        byte[] half = client.PlainRecord(TlsContentType.Handshake, [16, 0, 0, 9, 0, 2, 0, 0, 0, 0, 0, 1, 5]);
        byte[] finished = [.. flight[2]];
        finished[^1] ^= 1;
        byte[] epoch2 = [.. flight[2]];
        epoch2[4] = 2;
        byte[][] forged = [fatal, data, otherIdentity, cutIdentity, second, half, finished, epoch2, [], [22], [.. Enumerable.Repeat((byte)255, 100)]];
        foreach (byte[] datagram in forged)
            Assert.Empty(server.Receive(datagram));
        server.Receive(flight[0]);
        foreach (byte[] datagram in forged)
            Assert.DoesNotContain(server.Receive(datagram), answer => answer.Length > 0 && answer[0] == 21);
        Assert.Null(server.Server!.Error);
        Assert.InRange(server.Server.DroppedRecords, 10, 30);
        client.TakeLastFlight(Assert.Single(server.Receive(flight[2])));
        server.Detach();
        Exchange(server, client);
    }

    [Fact]
    public void A_client_with_another_key_gets_nowhere_and_hears_nothing()
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient { Key = [.. DtlsTestClient.Psk.Reverse()] };
        List<byte[]> flight = UpToKeyExchange(server, client);
        Assert.Empty(flight.SelectMany(server.Receive));
        Assert.False(server.Server!.IsComplete);
        Assert.Equal(1, server.Server.DroppedRecords);
    }

    [Fact]
    public void A_client_without_a_common_suite_or_version_is_told()
    {
        foreach ((DtlsTestClient client, TlsAlert alert) in new[]
        {
            (new DtlsTestClient { WireCipherSuites = [0x13, 0x01, 0xC0, 0x2F] }, TlsAlert.HandshakeFailure),
            (new DtlsTestClient { Version = 0xFEFF }, TlsAlert.ProtocolVersion),
            (new DtlsTestClient { Version = 0x0303 }, TlsAlert.ProtocolVersion),
        })
        {
            using var server = new DtlsTestServer();
            using (client)
            {
                client.TakeCookie(server.Receive(client.Hello())[0]);
                byte[] answer = Assert.Single(server.Receive(client.Hello()));
                Assert.Equal([21, 0xFE, 0xFD], answer[..3]);
                Assert.Equal([2, (byte)alert], answer[^2..]);
                Assert.Equal(alert, server.Server!.Error!.Alert);
            }
        }
    }

    [Fact]
    public void Another_message_in_the_place_of_finished_is_the_clients_fault()
    {
        using var server = new DtlsTestServer();
        using var client = new DtlsTestClient();
        List<byte[]> flight = UpToKeyExchange(server, client);
        server.Receive(flight[0]);
        byte[] wrong = client.Seal(TlsContentType.Handshake, DtlsHandshakeHeader.Whole(HandshakeType.Finished, 3, new byte[12]));
        Assert.Equal((byte)TlsAlert.DecryptError, Assert.Single(server.Receive(wrong))[^1]);
        Assert.Equal(TlsAlert.DecryptError, server.Server!.Error!.Alert);
        Assert.Throws<InvalidOperationException>(server.Detach);
    }

    internal static void Complete(DtlsTestServer server, DtlsTestClient client)
    {
        List<byte[]> flight = UpToKeyExchange(server, client);
        client.TakeLastFlight(Assert.Single(flight.SelectMany(server.Receive)));
        server.Detach();
    }

    internal static List<byte[]> UpToKeyExchange(DtlsTestServer server, DtlsTestClient client)
    {
        client.TakeCookie(Assert.Single(server.Receive(client.Hello())));
        client.TakeServerHellos(server.Receive(client.Hello()));
        return client.KeyExchangeFlight();
    }

    private static void Finish(DtlsTestServer server, DtlsTestClient client)
    {
        client.TakeLastFlight(Assert.Single(client.KeyExchangeFlight().SelectMany(server.Receive)));
        server.Detach();
        Exchange(server, client);
    }

    private static void Exchange(DtlsTestServer server, DtlsTestClient client)
    {
        Assert.True(client.IsComplete);
        for (byte i = 0; i < 3; i++)
        {
            byte[] text = [i, 2, 3, 4, 5];
            (DtlsOpenStatus status, byte[] content) = server.Open(client.Seal(TlsContentType.ApplicationData, text));
            Assert.Equal(DtlsOpenStatus.Opened, status);
            Assert.Equal(text, content);
            (status, content) = client.Open(server.Seal(text));
            Assert.Equal(DtlsOpenStatus.Opened, status);
            Assert.Equal(text, content);
        }
    }

    private static ulong NumberOf(byte[] datagram) =>
        DtlsRecordHeader.TryParse(datagram, out DtlsRecordHeader header) ? header.Sequence : throw new InvalidOperationException("No record.");
}
