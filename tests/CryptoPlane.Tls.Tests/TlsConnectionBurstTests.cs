using System.Security.Cryptography;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests;

/// <summary>Many records at once: what comes out is what comes out one by one.</summary>
public sealed class TlsConnectionBurstTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(1_400)]
    [InlineData(16_384)]
    public void Records_of_random_sizes_are_read_whole_whatever_the_buffers(int most)
    {
        using TlsPair pair = Connected();
        var random = new Random(most);
        byte[] data = RandomNumberGenerator.GetBytes(200 * most);
        List<byte> wire = [];
        for (int done = 0, length; done < data.Length; done += length)
        {
            length = Math.Min(random.Next(1, most + 1), data.Length - done);
            if (random.Next(50) == 0)
                pair.Client.UpdateKeys(requestPeer: true);
            wire.AddRange(Sealed(pair.Client, data.AsSpan(done, length)));
        }
        List<byte> read = [];
        byte[] source = [.. wire], destination = new byte[64 * 1024];
        for (int done = 0, seen = 0; done < source.Length;)
        {
            seen = Math.Min(source.Length, Math.Max(seen, done) + random.Next(1, 60_000));
            int room = random.Next(most, destination.Length);
            TlsStatus status = pair.Server.ReadBurst(source.AsSpan(done, seen - done), destination.AsSpan(0, room), out int consumed, out int written);
            Assert.Equal(written > 0 ? TlsStatus.Complete : TlsStatus.NeedMoreData, status);
            read.AddRange(destination.AsSpan(0, written));
            done += consumed;
        }
        Assert.Equal(data, read);
    }

    [Fact]
    public void A_record_without_room_stays_in_the_source()
    {
        using TlsPair pair = Connected();
        byte[] wire = [.. Sealed(pair.Client, new byte[10]), .. Sealed(pair.Client, new byte[20]), .. Sealed(pair.Client, new byte[30])];
        Assert.Equal(TlsStatus.Complete, pair.Server.ReadBurst(wire, new byte[45], out int consumed, out int written));
        Assert.Equal(30, written);
        Assert.Equal(TlsStatus.DestinationTooSmall, pair.Server.ReadBurst(wire.AsSpan(consumed), new byte[29], out int none, out written));
        Assert.Equal((0, 0), (none, written));
        Assert.Equal(TlsStatus.Complete, pair.Server.ReadBurst(wire.AsSpan(consumed), new byte[30], out none, out written));
        Assert.Equal(30, written);
    }

    [Fact]
    public void What_lies_in_front_of_a_forged_record_is_read_and_nothing_behind_it()
    {
        using TlsPair pair = Connected();
        byte[][] records = [.. Enumerable.Range(1, 5).Select(i => Sealed(pair.Client, new byte[i]))];
        records[2][^1] ^= 1;
        byte[] wire = [.. records.SelectMany(record => record)], destination = new byte[1_000];
        Assert.Equal(TlsStatus.Complete, pair.Server.ReadBurst(wire, destination, out int consumed, out int written));
        Assert.Equal(1 + 2, written);
        Assert.Equal(TlsStatus.Failed, pair.Server.ReadBurst(wire.AsSpan(consumed), destination, out _, out written));
        Assert.Equal(0, written);
        Assert.Equal(TlsAlert.BadRecordMac, pair.Server.Error?.Alert);
        Assert.True(pair.Server.HasPendingOutput);
    }

    [Fact]
    public void What_lies_in_front_of_close_notify_is_read_and_nothing_behind_it()
    {
        using TlsPair pair = Connected();
        byte[] last = Sealed(pair.Client, new byte[3]), close = new byte[100];
        Assert.Equal(TlsStatus.Complete, pair.Client.Close(close, out int length));
        byte[] wire = [.. last, .. close[..length], .. last];
        Assert.Equal(TlsStatus.Complete, pair.Server.ReadBurst(wire, new byte[100], out int consumed, out int written));
        Assert.Equal(3, written);
        Assert.Equal(TlsStatus.Closed, pair.Server.ReadBurst(wire.AsSpan(consumed), new byte[100], out _, out written));
        Assert.Equal(0, written);
    }

    [Fact]
    public void Tickets_in_between_are_kept()
    {
        var clientOptions = new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], KeepSessions = true };
        var serverOptions = new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { TicketProtector = new TlsTicketKeyRing() };
        using var pair = new TlsPair(clientOptions, serverOptions);
        pair.Run();
        pair.ReadTickets();
        byte[] wire = [.. Sealed(pair.Server, new byte[10]), .. Sealed(pair.Server, new byte[20])];
        Assert.Equal(TlsStatus.Complete, pair.Client.ReadBurst(wire, new byte[100], out _, out int written));
        Assert.Equal(30, written);
        Assert.True(pair.Client.TryTakeSession(out TlsSession? session));
        session.Dispose();
    }

    [Fact]
    public void One_write_makes_records_until_the_destination_is_full()
    {
        using TlsPair pair = Connected();
        byte[] data = RandomNumberGenerator.GetBytes(500_000), wire = new byte[100_000], plain = new byte[TlsConnection.MaxPlaintextSize];
        List<byte> read = [];
        int done = 0;
        TlsStatus status;
        do
        {
            status = pair.Client.Write(data.AsSpan(done), wire, out int consumed, out int written);
            done += consumed;
            Assert.True(written > wire.Length - 30 || status == TlsStatus.Complete);
            for (int at = 0; at < written;)
            {
                Assert.Equal(TlsStatus.Complete, pair.Server.Read(wire.AsSpan(at, written - at), plain, out int used, out int length));
                read.AddRange(plain.AsSpan(0, length));
                at += used;
            }
        }
        while (status == TlsStatus.DestinationTooSmall);
        Assert.Equal(data, read);
    }

    private static TlsPair Connected()
    {
        var pair = new TlsPair(TlsPair.ClientOptions(), TlsPair.ServerOptions());
        pair.Run();
        Assert.Equal(TlsStatus.Complete, pair.ServerStatus);
        return pair;
    }

    private static byte[] Sealed(TlsConnection from, ReadOnlySpan<byte> data)
    {
        byte[] wire = new byte[data.Length + 100];
        Assert.Equal(TlsStatus.Complete, from.Write(data, wire, out _, out int written));
        return wire[..written];
    }
}
