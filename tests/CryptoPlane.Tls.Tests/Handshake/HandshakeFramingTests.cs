using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Handshake messages cut and joined over records in every way (RFC 8446 §5.1), and calls with small buffers.</summary>
public sealed class HandshakeFramingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(100)]
    public void A_servers_messages_may_be_cut_into_records_of_any_size(int fragment)
    {
        using var client = new TlsClient(TlsPair.ClientOptions());
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        byte[] answer = Refragment(server.Take(), fragment);
        server.SendFlight(fragment);
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, [.. answer, .. server.Take()], out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public void A_clients_messages_may_be_cut_into_records_of_any_size(int fragment)
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(TlsPair.ServerOptions());
        client.Send(client.Hello().ToMessage(), fragment);
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        client.Send(client.Finished(), fragment);
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
    }

    [Fact]
    public void A_flight_may_come_in_one_record_or_cut_across_its_messages()
    {
        foreach (int cut in new[] { 0, 1, 3, 8, 200, 500 })
        {
            using var client = new TlsClient(TlsPair.ClientOptions());
            using var server = new ScriptedServer(TlsPair.ServerOptions());
            ScriptedPeer.Drive(client, [], out byte[] hello);
            server.Feed(hello);
            server.AnswerHello();
            var flight = new List<byte>();
            foreach (Func<byte[]> make in new Func<byte[]>[] { () => ScriptedServer.EncryptedExtensions(), server.Certificate, () => server.CertificateVerify(), server.Finished })
            {
                byte[] message = make();
                server.Context.Transcript.Append(message);
                flight.AddRange(message);
            }
            if (cut != 0)
                server.SendRecord(TlsContentType.Handshake, flight.Take(cut).ToArray());
            server.SendRecord(TlsContentType.Handshake, flight.Skip(cut).ToArray());
            Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, server.Take(), out _));
        }
    }

    [Theory]
    [InlineData(1, int.MaxValue)]
    [InlineData(7, int.MaxValue)]
    [InlineData(32_768, 1)]
    [InlineData(32_768, 1000)]
    [InlineData(1, 1)]
    public void Small_destinations_and_deliveries_change_nothing(int destinationSize, int deliverySize)
    {
        using var pair = new TlsPair(TlsPair.ClientOptions(), new TlsServerOptions(new TlsCredential(TestCertificates.Rsa2048)) { Groups = [TlsNamedGroup.Secp256r1] })
        {
            DestinationSize = destinationSize,
            DeliverySize = deliverySize,
        };
        pair.Run();
        Assert.Equal(TlsStatus.Complete, pair.ClientStatus);
        Assert.Equal(TlsStatus.Complete, pair.ServerStatus);
        Assert.True(pair.Server.WasRetried);
    }

    [Fact]
    public void Only_the_first_ClientHello_has_the_record_version_of_TLS_1_0()
    {
        // RFC 8446 §5.1: 0x0301 for it, 0x0303 for a second one and for everything else.
        using var client = new TlsClient(TlsPair.ClientOptions());
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        Assert.Equal([22, 3, 1], hello[..3]);
        server.Feed(hello);
        server.AskForRetry(TlsNamedGroup.Secp256r1);
        ScriptedPeer.Drive(client, server.Take(), out byte[] answer);
        Assert.Equal([20, 3, 3, 0, 1, 1, 22, 3, 3], answer[..9]);
    }

    [Fact]
    public void GREASE_and_unknown_code_points_are_passed_over()
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(TlsPair.ServerOptions());
        HelloBytes hello = client.Hello();
        // RFC 8701: values that nobody uses, in every list, and extensions around the others.
        hello.Suites = [0x0A0A, .. hello.Suites, 0x1304];
        hello.Set(ExtensionType.SupportedVersions, 6, 0x7A, 0x7A, 3, 4, 3, 3);
        hello.Set(ExtensionType.SupportedGroups, 0, 6, 0x2A, 0x2A, 0x11, 0xEC, 0, 29);
        hello.Set(ExtensionType.SignatureAlgorithms, 0, 4, 0x3A, 0x3A, 4, 3);
        hello.Set(ExtensionType.KeyShare, [0, 41, 0x2A, 0x2A, 0, 1, 0, .. hello.Get(ExtensionType.KeyShare).AsSpan(2)]);
        hello.Set(ExtensionType.ApplicationProtocols, 0, 3, 2, 0x4A, 0x4A);
        hello.Extensions.Insert(0, ((ExtensionType)0x5A5A, [1, 2, 3]));
        hello.Extensions.Add(((ExtensionType)0x6A6A, []));
        client.Send(hello.ToMessage());
        Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(server, client.Take(), out byte[] flight));
        client.TakeFlight(flight);
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
        Assert.Equal(TlsNamedGroup.X25519, server.NegotiatedGroup);
        Assert.Equal(0, server.ApplicationProtocol.Protocol.Length);
    }

    [Fact]
    public void A_client_in_no_compatibility_mode_gets_no_change_cipher_spec()
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(TlsPair.ServerOptions());
        client.Send(client.Hello().With(hello => hello.SessionId = []).ToMessage());
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        Assert.Equal(0, client.ChangeCipherSpecs);
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cookie_is_echoed_with_or_without_another_group(bool otherGroup)
    {
        using var client = new TlsClient(TlsPair.ClientOptions());
        var options = new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { Groups = [otherGroup ? TlsNamedGroup.Secp384r1 : TlsNamedGroup.X25519] };
        using var server = new ScriptedServer(options);
        ScriptedPeer.Drive(client, [], out byte[] first);
        server.Feed(first);
        server.AskForRetry(options.Groups[0], hello => (otherGroup ? hello : hello.Remove(ExtensionType.KeyShare)).Set(ExtensionType.Cookie, 0, 3, 7, 8, 9));
        Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(client, server.Take(), out byte[] second));
        server.Feed(second);
        // RFC 8446 §D.4: the client's change_cipher_spec goes before the second ClientHello.
        Assert.Equal(1, server.ChangeCipherSpecs);
        HelloBytes one = HelloBytes.Parse(server.Received[0]), two = HelloBytes.Parse(server.Received[1]);
        Assert.Equal(new byte[] { 0, 3, 7, 8, 9 }, two.Get(ExtensionType.Cookie));
        Assert.Equal(one.Random, two.Random);
        Assert.Equal(one.SessionId, two.SessionId);
        Assert.Equal(otherGroup, !one.Get(ExtensionType.KeyShare).SequenceEqual(two.Get(ExtensionType.KeyShare)));

        server.AnswerHello();
        server.SendFlight();
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, server.Take(), out byte[] last));
        server.Feed(last);
        Assert.Equal((byte)HandshakeType.Finished, server.Received[^1][0]);
        Assert.True(client.WasRetried);
    }

    [Theory]
    [InlineData(TlsNamedGroup.X25519MLKem768)]
    [InlineData(TlsNamedGroup.X25519)]
    public void The_hello_carries_shares_of_the_hybrid_group_and_of_the_one_behind_it(TlsNamedGroup served)
    {
        using var client = new TlsClient(TlsPair.ClientOptions());
        using var server = new ScriptedServer(new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { Groups = [served] });
        ScriptedPeer.Drive(client, [], out byte[] first);
        server.Feed(first);
        byte[] shares = HelloBytes.Parse(server.Received[0]).Get(ExtensionType.KeyShare)!;
        Assert.Equal(2 + 4 + 1216 + 4 + 32, shares.Length);
        Assert.Equal(new byte[] { 0x11, 0xEC, 0x04, 0xC0 }, shares[2..6]);
        Assert.Equal(new byte[] { 0x00, 0x1D, 0x00, 0x20 }, shares[1222..1226]);
        // RFC 8446 §4.2.8: a retry must not ask for either of them.
        server.AskForRetry(served);
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(TlsAlert.IllegalParameter, client.Error!.Alert);
    }

    [Fact]
    public void A_second_retry_and_a_change_of_suite_behind_one_are_refused()
    {
        foreach (bool again in new[] { true, false })
        {
            using var client = new TlsClient(TlsPair.ClientOptions());
            using var server = new ScriptedServer(new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { Groups = [TlsNamedGroup.Secp256r1] });
            ScriptedPeer.Drive(client, [], out byte[] first);
            server.Feed(first);
            server.AskForRetry(TlsNamedGroup.Secp256r1);
            ScriptedPeer.Drive(client, server.Take(), out byte[] second);
            server.Feed(second);
            if (again)
                server.Send(ScriptedPeer.Build(writer => ServerHello.WriteRetry(writer, HelloBytes.Parse(server.Received[1]).SessionId, 0x1301, TlsNamedGroup.Secp384r1)));
            else
                server.AnswerHello(hello => hello.With(h => h.Suites = [0x1303]));
            Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
            Assert.Equal(again ? TlsAlert.UnexpectedMessage : TlsAlert.IllegalParameter, client.Error!.Alert);
        }
    }

    [Fact]
    public void A_CertificateRequest_is_answered_with_no_certificate()
    {
        using var client = new TlsClient(TlsPair.ClientOptions());
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        server.Send(ScriptedServer.EncryptedExtensions());
        // With an unknown extension, which is ignored (RFC 8446 §4.3.2).
        server.Send(ScriptedPeer.Build(HandshakeType.CertificateRequest, 0, 0, 13, 0x7A, 0x7A, 0, 1, 9, 0, 13, 0, 4, 0, 2, 4, 3));
        server.Send(server.Certificate());
        server.Send(server.CertificateVerify());
        server.Send(server.Finished());
        server.TakeApplicationKeys();
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, server.Take(), out byte[] answer));
        server.Feed(answer);
        Assert.Equal(new byte[] { (byte)HandshakeType.Certificate, 0, 0, 4, 0, 0, 0, 0 }, server.Received[1]);
        Assert.Equal((byte)HandshakeType.Finished, server.Received[2][0]);
        // And the client's Finished covers it.
        server.Context.Transcript.Append(server.Received[1]);
        Assert.Null(server.Context.VerifyFinished(server.Keys.Client, new CryptoPlane.Tls.Handshake.HandshakeMessage(server.Received[2])));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Early_data_is_rejected_by_passing_over_it(bool retry)
    {
        using var client = new ScriptedClient();
        TlsNamedGroup group = retry ? TlsNamedGroup.Secp256r1 : TlsNamedGroup.X25519;
        using var server = new TlsServer(new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { Groups = [group] });
        // With a ticket of somebody else's.
        byte[] offer = [0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 33, 32, .. new byte[32]];
        HelloBytes hello = client.Hello().Set(ExtensionType.EarlyData).Set(ExtensionType.PskKeyExchangeModes, 1, 1).Set(ExtensionType.PreSharedKey, offer);
        client.Send(hello.ToMessage());
        byte[] early = [23, 3, 3, 0, 100, .. new byte[100]];
        client.SendRaw(early);
        Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(server, client.Take(), out byte[] flight));
        client.SendRaw(early);
        if (retry)
        {
            client.Feed(flight);
            Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(server, client.Take(), out _));
            client.Context.Transcript.Select(CryptoPlane.Tls.KeySchedule.TlsHash.Sha256);
            client.Context.Transcript.ReplaceWithMessageHash();
            client.Context.Transcript.Append(client.Received[0]);
            client.Send(client.Hello(group).ToMessage());
            Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(server, client.Take(), out flight));
        }
        client.TakeFlight(flight);
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
    }

    [Fact]
    public void Early_data_beyond_its_bound_ends_the_handshake()
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(TlsPair.ServerOptions());
        client.Send(client.Hello().Set(ExtensionType.EarlyData).ToMessage());
        for (int i = 0; i < 5; i++)
            client.SendRaw([23, 3, 3, 0x40, 0, .. new byte[16_384]]);
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(server, client.Take(), out _));
        Assert.Equal(TlsAlert.BadRecordMac, server.Error!.Alert);
    }

    /// <summary>Cuts plaintext records into smaller ones.</summary>
    private static byte[] Refragment(byte[] wire, int fragment)
    {
        var all = new List<byte>();
        for (int offset = 0; offset < wire.Length;)
        {
            int length = (wire[offset + 3] << 8) | wire[offset + 4];
            foreach (byte[] part in wire.AsSpan(offset + 5, length).ToArray().Chunk(fragment))
                all.AddRange([wire[offset], 3, 3, (byte)(part.Length >> 8), (byte)part.Length, .. part]);
            offset += 5 + length;
        }
        return [.. all];
    }
}
