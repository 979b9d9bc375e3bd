using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests;

/// <summary>A connection behind its handshake: data, KeyUpdates, closing, detaching; and misuse at any time.</summary>
public sealed class TlsConnectionTests
{
    [Fact]
    public void Data_of_every_size_crosses_in_whole_records()
    {
        using TlsPair pair = Connected();
        foreach (int size in new[] { 0, 1, 15, 16, 1000, 16_383, 16_384, 16_385, 100_000 })
        {
            byte[] data = RandomNumberGenerator.GetBytes(size);
            Assert.Equal(data, TlsPair.Send(pair.Client, pair.Server, data));
            Assert.Equal(data, TlsPair.Send(pair.Server, pair.Client, data));
        }
    }

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256, 32)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384, 48)]
    public void The_clients_finished_is_known_to_both_sides_and_names_one_connection(TlsCipherSuite suite, int size)
    {
        var seen = new List<byte[]>();
        for (int i = 0; i < 2; i++)
        {
            var options = new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], CipherSuites = [suite] };
            using var pair = new TlsPair(options, TlsPair.ServerOptions());
            Assert.True(pair.Client.ClientFinished.IsEmpty && pair.Server.ClientFinished.IsEmpty);
            pair.Run();
            seen.Add(pair.Server.ClientFinished.ToArray());
            Assert.Equal(pair.Client.ClientFinished.ToArray(), seen[i]);
            Assert.Equal(size, seen[i].Length);
        }
        Assert.NotEqual(seen[0], seen[1]);
    }

    [Fact]
    public void Small_buffers_take_more_calls_and_lose_nothing()
    {
        using TlsPair pair = Connected();
        byte[] data = RandomNumberGenerator.GetBytes(5000);
        var wire = new List<byte>();
        byte[] destination = new byte[100];
        for (int offset = 0; offset < data.Length;)
        {
            TlsStatus status = pair.Client.Write(data.AsSpan(offset), destination, out int consumed, out int written);
            Assert.Equal(offset + consumed == data.Length ? TlsStatus.Complete : TlsStatus.DestinationTooSmall, status);
            offset += consumed;
            wire.AddRange(destination.AsSpan(0, written));
        }
        Assert.Equal(data, TlsPair.Receive(pair.Server, wire.ToArray(), out TlsStatus end));
        Assert.Equal(TlsStatus.NeedMoreData, end);
        // A destination without room for any record is told so, and nothing is lost by it.
        Assert.Equal(TlsStatus.DestinationTooSmall, pair.Client.Write([1], new byte[22], out int none, out int nothing));
        Assert.Equal(0, none + nothing);
    }

    [Fact]
    public void A_destination_that_is_too_small_for_a_record_leaves_it_in_the_source()
    {
        using TlsPair pair = Connected();
        byte[] wire = new byte[200];
        pair.Client.Write(new byte[100], wire, out _, out int length);
        Assert.Equal(TlsStatus.DestinationTooSmall, pair.Server.Read(wire.AsSpan(0, length), new byte[99], out int consumed, out int written));
        Assert.Equal(0, consumed + written);
        Assert.Equal(TlsStatus.Complete, pair.Server.Read(wire.AsSpan(0, length), new byte[100], out consumed, out written));
        Assert.Equal(length, consumed);
        Assert.Equal(100, written);
    }

    [Fact]
    public void A_record_cut_at_any_length_waits_for_the_rest()
    {
        using TlsPair pair = Connected();
        byte[] wire = new byte[60];
        pair.Client.Write("hello"u8, wire, out _, out int length);
        byte[] data = new byte[100];
        for (int cut = 0; cut < length; cut++)
        {
            Assert.Equal(TlsStatus.NeedMoreData, pair.Server.Read(wire.AsSpan(0, cut), data, out int none, out _));
            Assert.Equal(0, none);
        }
        Assert.Equal(TlsStatus.Complete, pair.Server.Read(wire.AsSpan(0, length), data, out _, out int written));
        Assert.Equal("hello"u8, data.AsSpan(0, written));
    }

    [Fact]
    public void A_changed_replayed_or_lost_record_ends_the_connection()
    {
        byte[] data = new byte[100];
        foreach (string damage in new[] { "change", "replay", "loss" })
        {
            using TlsPair pair = Connected();
            byte[] wire = new byte[200];
            pair.Client.Write("one"u8, wire, out _, out int first);
            pair.Client.Write("two"u8, wire.AsSpan(first), out _, out int second);
            ReadOnlySpan<byte> one = wire.AsSpan(0, first), two = wire.AsSpan(first, second);
            if (damage == "change")
                wire[10] ^= 1;
            if (damage == "replay")
                Assert.Equal(TlsStatus.Complete, pair.Server.Read(one, data, out _, out _));
            Assert.Equal(TlsStatus.Failed, pair.Server.Read(damage == "loss" ? two : one, data, out _, out int written));
            Assert.Equal(0, written);
            Assert.Equal(TlsAlert.BadRecordMac, pair.Server.Error!.Alert);
            byte[] alert = new byte[100];
            Assert.Equal(TlsStatus.Failed, pair.Server.Flush(alert, out int length));
            TlsPair.Receive(pair.Client, alert.AsSpan(0, length), out TlsStatus status);
            Assert.Equal(TlsStatus.Failed, status);
            Assert.Equal(TlsErrorKind.PeerAlerted, pair.Client.Error!.Kind);
            Assert.Equal(TlsAlert.BadRecordMac, pair.Client.Error.Alert);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Keys_are_updated_by_either_side_and_on_request_by_both(bool request)
    {
        using TlsPair pair = Connected();
        for (int round = 0; round < 10; round++)
        {
            foreach ((TlsConnection from, TlsConnection to) in new (TlsConnection, TlsConnection)[] { (pair.Client, pair.Server), (pair.Server, pair.Client) })
            {
                from.UpdateKeys(request);
                Assert.Equal("after"u8.ToArray(), TlsPair.Send(from, to, "after"u8));
                // The answer to a request goes out in front of the next data.
                byte[] wire = new byte[100];
                Assert.Equal(TlsStatus.Complete, to.Flush(wire, out int written));
                Assert.Equal(request ? 27 : 0, written);
                Assert.Empty(TlsPair.Receive(from, wire.AsSpan(0, written), out _));
                Assert.Equal("back"u8.ToArray(), TlsPair.Send(to, from, "back"u8));
            }
        }
    }

    [Fact]
    public void Many_requests_before_an_answer_get_one()
    {
        using TlsPair pair = Connected();
        byte[] wire = new byte[1000];
        for (int i = 0; i < 5; i++)
            pair.Client.UpdateKeys(requestPeer: true);
        pair.Client.Flush(wire, out int length);
        TlsPair.Receive(pair.Server, wire.AsSpan(0, length), out TlsStatus status);
        Assert.Equal(TlsStatus.NeedMoreData, status);
        pair.Server.Flush(wire, out length);
        Assert.Equal(27, length);
    }

    [Fact]
    public unsafe void A_key_near_its_limit_is_updated_without_being_asked()
    {
        using TlsPair pair = Connected();
        // RFC 8446 §5.5: not more than 2^24.5 records under one AES-GCM key. Two records before the point where data must wait.
        pair.Client.Records.WriteState->DataLimit = pair.Client.Records.WriteState->Sequence + 2;
        byte[] wire = new byte[1000];
        var all = new List<byte>();
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(TlsStatus.Complete, pair.Client.Write("data"u8, wire, out _, out int length));
            // The third has the KeyUpdate in front of it.
            Assert.Equal(i == 2 ? 26 + 27 : 26, length);
            all.AddRange(wire.AsSpan(0, length));
        }
        Assert.Equal(1u, pair.Client.Records.WriteState->KeyUpdates);
        Assert.Equal("datadatadatadatadata"u8.ToArray(), TlsPair.Receive(pair.Server, all.ToArray(), out TlsStatus status));
        Assert.Equal(TlsStatus.NeedMoreData, status);
    }

    [Fact]
    public void A_flood_of_KeyUpdates_ends_the_connection()
    {
        using TlsPair pair = Connected();
        byte[] wire = new byte[10_000];
        for (int i = 0; i < 40; i++)
            pair.Client.UpdateKeys();
        pair.Client.Flush(wire, out int length);
        TlsPair.Receive(pair.Server, wire.AsSpan(0, length), out TlsStatus status);
        Assert.Equal(TlsStatus.Failed, status);
        Assert.Equal(TlsAlert.UnexpectedMessage, pair.Server.Error!.Alert);
    }

    [Fact]
    public void Closing_is_one_sided_and_orderly()
    {
        using TlsPair pair = Connected();
        byte[] wire = new byte[100];
        Assert.Equal(TlsStatus.Complete, pair.Client.Close(wire, out int length));
        Assert.Empty(TlsPair.Receive(pair.Server, wire.AsSpan(0, length), out TlsStatus status));
        Assert.Equal(TlsStatus.Closed, status);
        Assert.Null(pair.Server.Error);
        // RFC 8446 §6.1: the other direction goes on.
        Assert.Equal("still"u8.ToArray(), TlsPair.Send(pair.Server, pair.Client, "still"u8));
        Assert.Throws<InvalidOperationException>(() => pair.Client.Write("no"u8, new byte[100], out _, out _));
        Assert.Throws<InvalidOperationException>(() => pair.Client.UpdateKeys());
        Assert.Equal(TlsStatus.Complete, pair.Client.Close(wire, out length));
        Assert.Equal(0, length);
    }

    [Fact]
    public void A_handshake_that_is_given_up_ends_in_an_orderly_way()
    {
        using var pair = new TlsPair(TlsPair.ClientOptions(), TlsPair.ServerOptions());
        ScriptedPeer.Drive(pair.Client, [], out byte[] hello);
        byte[] wire = new byte[100];
        Assert.Equal(TlsStatus.Complete, pair.Client.Close(wire, out int length));
        Assert.Equal(new byte[] { 21, 3, 3, 0, 2, 1, 90, 21, 3, 3, 0, 2, 1, 0 }, wire[..length]);
        // The server has answered by then; the alerts come in the clear, since the client has no keys.
        Assert.Equal(TlsStatus.Closed, ScriptedPeer.Drive(pair.Server, [.. hello, .. wire.AsSpan(0, length)], out _));
        Assert.Null(pair.Server.Error);
        Assert.False(pair.Server.IsHandshakeComplete);
    }

    [Fact]
    public void Tickets_and_padding_are_passed_over()
    {
        using var client = new TlsClient(TlsPair.ClientOptions());
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        server.SendFlight();
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, server.Take(), out _));

        server.SendRecord(TlsContentType.Handshake, ScriptedPeer.Build(HandshakeType.NewSessionTicket, [0, 0, 1, 0, 0, 0, 0, 0, 1, 9, 0, 4, 1, 2, 3, 4, 0, 0]));
        // RFC 8446 §5.4: the type stands behind the content, and zeros behind it are padding.
        server.SendRecord(TlsContentType.None, [.. "padded"u8, (byte)TlsContentType.ApplicationData, .. new byte[1000]]);
        server.SendRecord(TlsContentType.None, [(byte)TlsContentType.ApplicationData, .. new byte[500]]);
        server.SendRecord(TlsContentType.ApplicationData, "plain"u8);
        Assert.Equal("paddedplain"u8.ToArray(), TlsPair.Receive(client, server.Take(), out TlsStatus status));
        Assert.Equal(TlsStatus.NeedMoreData, status);

        // All padding and no type.
        server.SendRecord(TlsContentType.None, new byte[50]);
        TlsPair.Receive(client, server.Take(), out status);
        Assert.Equal(TlsStatus.Failed, status);
        Assert.Equal(TlsAlert.UnexpectedMessage, client.Error!.Alert);
    }

    [Fact]
    public void A_change_cipher_spec_behind_the_handshake_is_refused()
    {
        using TlsPair pair = Connected();
        TlsPair.Receive(pair.Server, [20, 3, 3, 0, 1, 1], out TlsStatus status);
        Assert.Equal(TlsStatus.Failed, status);
        Assert.Equal(TlsAlert.UnexpectedMessage, pair.Server.Error!.Alert);
    }

    [Fact]
    public void Data_behind_the_handshake_is_left_in_the_source()
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(TlsPair.ServerOptions());
        client.Send(client.Hello().ToMessage());
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        client.Send(client.Finished());
        client.Context.ChangeWriteKeys(client.Application.Client);
        byte[] finished = client.Take();
        client.SendRecord(TlsContentType.ApplicationData, "GET /"u8);
        byte[] data = client.Take();
        Assert.Equal(TlsStatus.Complete, server.Handshake([.. finished, .. data], new byte[100], out int consumed, out _));
        Assert.Equal(finished.Length, consumed);
        Assert.Equal("GET /"u8.ToArray(), TlsPair.Receive(server, data, out _));
    }

    [Fact]
    public unsafe void Detached_traffic_goes_on_where_the_connection_stopped()
    {
        using TlsPair pair = Connected();
        TlsPair.Send(pair.Client, pair.Server, "before"u8);
        TlsPair.Send(pair.Server, pair.Client, "before"u8);
        pair.Client.UpdateKeys();
        TlsPair.Send(pair.Client, pair.Server, "updated"u8);

        using var states = new NativeBuffer(2 * TlsTrafficState.SizeInBytes);
        using var memory = new NativeBuffer(1024);
        using AeadEngine engine = AeadEngine.CreateDefault();
        using var burst = new AeadBurst(8);
        using var reader = new TlsRecordReader(8);
        var read = (TlsTrafficState*)states.Pointer;
        TlsTrafficState* write = read + 1;
        pair.Server.DetachTraffic(read, write);

        byte[] wire = new byte[100];
        pair.Client.Write("to the lcore"u8, wire, out _, out int length);
        wire.AsSpan(0, length).CopyTo(new Span<byte>(memory.Pointer, length));
        Assert.True(reader.TryAdd(burst, read, memory.Pointer, length, memory.Pointer + 512, 7));
        burst.Run(engine);
        Assert.False(reader.Complete(burst, engine));
        Assert.Equal(TlsOpenStatus.Opened, reader[0].Status);
        Assert.Equal("to the lcore"u8, reader[0].Content);
        reader.Clear();
        burst.Clear();

        "from the lcore"u8.CopyTo(new Span<byte>(memory.Pointer + 5, 14));
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.TryAdd(burst, write, TlsContentType.ApplicationData, memory.Pointer + 5, 14, memory.Pointer, 100, out int recordLength));
        burst.Run(engine);
        Assert.Equal("from the lcore"u8.ToArray(), TlsPair.Receive(pair.Client, new Span<byte>(memory.Pointer, recordLength), out _));

        // What is left of the connection: getters and keying material.
        Assert.Throws<InvalidOperationException>(() => pair.Server.Read(wire, wire, out _, out _));
        Assert.Throws<InvalidOperationException>(() => pair.Server.Flush(wire, out _));
        byte[] ours = new byte[32], theirs = new byte[32];
        pair.Server.ExportKeyingMaterial("EXPORTER-test", [], ours);
        pair.Client.ExportKeyingMaterial("EXPORTER-test", [], theirs);
        Assert.Equal(theirs, ours);
        read->Release(engine);
        write->Release(engine);
    }

    [Fact]
    public unsafe void A_connection_with_something_to_send_or_at_its_end_is_not_detached()
    {
        using TlsPair pair = Connected();
        using var states = new NativeBuffer(2 * TlsTrafficState.SizeInBytes);
        nint place = (nint)states.Pointer;
        pair.Server.UpdateKeys();
        Assert.True(pair.Server.HasPendingOutput);
        Assert.Throws<InvalidOperationException>(() => pair.Server.DetachTraffic((TlsTrafficState*)place, (TlsTrafficState*)place + 1));
        pair.Client.Close(new byte[100], out _);
        Assert.Throws<InvalidOperationException>(() => pair.Client.DetachTraffic((TlsTrafficState*)place, (TlsTrafficState*)place + 1));
    }

    [Fact]
    public void Misuse_is_an_exception_that_says_what_to_do()
    {
        var client = new TlsClient(TlsPair.ClientOptions());
        byte[] buffer = new byte[100];
        Assert.Throws<InvalidOperationException>(() => client.Read(buffer, buffer, out _, out _));
        Assert.Throws<InvalidOperationException>(() => client.Write(buffer, buffer, out _, out _));
        Assert.Throws<InvalidOperationException>(() => client.UpdateKeys());
        Assert.Throws<InvalidOperationException>(() => client.ExportKeyingMaterial("label", [], buffer));
        TlsPendingWork work = client.PendingWork!;
        Assert.Equal(TlsStatus.NeedsKeyAgreement, client.Handshake([], buffer, out _, out _));
        Assert.Equal(work.Status, client.Handshake([], buffer, out _, out _));
        work.Execute();
        Assert.Throws<InvalidOperationException>(work.Execute);
        client.Dispose();
        client.Dispose();
        Assert.Throws<ObjectDisposedException>(() => client.Handshake([], buffer, out _, out _));
    }

    [Fact]
    public void Options_refuse_what_is_not_built()
    {
        Assert.Throws<ArgumentException>(() => new TlsClientOptions("a b"));
        Assert.Throws<ArgumentException>(() => new TlsClientOptions("x") { CipherSuites = [] });
        Assert.Throws<ArgumentException>(() => new TlsClientOptions("x") { CipherSuites = [(TlsCipherSuite)0x1304] });
        Assert.Throws<ArgumentException>(() => new TlsClientOptions("x") { Groups = [(TlsNamedGroup)25] });
        Assert.Throws<ArgumentException>(() => new TlsClientOptions("x") { KeyShareGroups = [] });
        Assert.Throws<InvalidOperationException>(
            () => new TlsClient(new TlsClientOptions("x") { Groups = [TlsNamedGroup.X25519], KeyShareGroups = [TlsNamedGroup.Secp256r1] }));
        Assert.Throws<ArgumentException>(() => new TlsClientOptions("x") { SignatureSchemes = [(TlsSignatureScheme)0x0401] });
        Assert.Throws<ArgumentException>(() => new TlsClientOptions("x") { PinnedKeys = [new byte[20]] });
        Assert.Equal("server.example", new TlsClientOptions("server.example.").ServerName);
    }

    private static TlsPair Connected()
    {
        var pair = new TlsPair(TlsPair.ClientOptions(), TlsPair.ServerOptions());
        pair.Run();
        Assert.Equal(TlsStatus.Complete, pair.ClientStatus);
        Assert.Equal(TlsStatus.Complete, pair.ServerStatus);
        return pair;
    }
}
