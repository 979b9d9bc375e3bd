using System.Net.Security;
using System.Security.Cryptography;
using CryptoPlane.Tls.Streams.Tests.Support;

namespace CryptoPlane.Tls.Streams.Tests;

/// <summary>Data of random sizes both ways at once, with the framework's stream or our own on the other end.</summary>
public sealed class DataTests
{
    private const int Total = 3_000_000;

    public static TheoryData<bool, TlsCipherSuite> Cases => new()
    {
        { true, TlsCipherSuite.Aes128GcmSha256 },
        { true, TlsCipherSuite.ChaCha20Poly1305Sha256 },
        { false, TlsCipherSuite.Aes128GcmSha256 },
        { false, TlsCipherSuite.Aes256GcmSha384 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Random_sizes_arrive_whole_both_ways_with_the_frameworks_stream(bool oursIsServer, TlsCipherSuite suite)
    {
        await using StreamPair pair = await StreamPair.WithSslStreamAsync(oursIsServer, suite);
        await ExchangeAsync(pair);
        var ours = (CryptoPlaneSslStream)(oursIsServer ? pair.Server : pair.Client);
        var framework = (SslStream)(oursIsServer ? pair.Client : pair.Server);
        Assert.Equal(framework.NegotiatedCipherSuite, ours.NegotiatedCipherSuite);
        Assert.Equal((ushort)suite, (ushort)ours.NegotiatedCipherSuite);
        Assert.Equal(framework.SslProtocol, ours.SslProtocol);
    }

    [Fact]
    public async Task Random_sizes_arrive_whole_while_both_sides_update_their_keys()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        Task[] updates = [UpdateAsync(pair.OurClient), UpdateAsync(pair.OurServer)];
        Task<byte[]>[] directions = [ReceiveAsync(pair.Server), ReceiveAsync(pair.Client)];
        byte[][] sent = await Task.WhenAll(SendAsync(pair.Client, 1), SendAsync(pair.Server, 2));
        await Task.WhenAll(updates);
        await pair.OurClient.ShutdownAsync(StreamPair.Token);
        await pair.OurServer.ShutdownAsync(StreamPair.Token);
        byte[][] received = await Task.WhenAll(directions);
        Assert.Equal(sent[0], received[0]);
        Assert.Equal(sent[1], received[1]);
        foreach (CryptoPlaneSslStream stream in (CryptoPlaneSslStream[])[pair.OurClient, pair.OurServer])
        {
            // Its own, and answers to the other's.
            Assert.True(stream.Connection.KeyUpdatesReceived > 1);
            Assert.True(stream.Connection.KeyUpdatesSent > 1);
        }
    }

    [Fact]
    public async Task Large_data_arrives_whole_through_blocking_calls()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        using var client = new CryptoPlaneSslStream(tcp.Client);
        using var server = new CryptoPlaneSslStream(tcp.Server);
        byte[] data = RandomNumberGenerator.GetBytes(1_000_003);
        Task serving = Task.Run(
            () =>
            {
                server.AuthenticateAsServer(StreamPair.ServerOptions);
                byte[] received = new byte[data.Length];
                server.ReadExactly(received);
                server.Write(received);
                server.Flush();
            },
            StreamPair.Token);
        client.AuthenticateAsClient(StreamPair.ClientOptions);
        client.Write(data);
        byte[] back = new byte[data.Length];
        client.ReadExactly(back);
        await serving;
        Assert.Equal(data, back);
    }

    [Fact]
    public async Task A_peer_whose_bytes_come_one_by_one_is_understood()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var client = new CryptoPlaneSslStream(new OneByteStream(tcp.Client));
        await using var server = new CryptoPlaneSslStream(new OneByteStream(tcp.Server));
        await Task.WhenAll(
            client.AuthenticateAsClientAsync(StreamPair.ClientOptions, StreamPair.Token),
            server.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token));
        byte[] data = RandomNumberGenerator.GetBytes(5_000), received = new byte[data.Length];
        await client.WriteAsync(data, StreamPair.Token);
        await server.ReadExactlyAsync(received, StreamPair.Token);
        Assert.Equal(data, received);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1_000)]
    [InlineData(20_000)]
    public async Task A_record_is_read_in_parts_and_records_are_read_together(int size)
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        byte[] data = RandomNumberGenerator.GetBytes(40_000), received = new byte[data.Length];
        foreach (byte[] part in (byte[][])[data[..100], data[100..101], data[101..20_000], data[20_000..]])
            await pair.Client.WriteAsync(part, StreamPair.Token);
        for (int done = 0; done < received.Length;)
        {
            int count = await pair.Server.ReadAsync(received.AsMemory(done, Math.Min(size, received.Length - done)), StreamPair.Token);
            Assert.InRange(count, 1, size);
            done += count;
        }
        Assert.Equal(data, received);
    }

    [Fact]
    public async Task A_read_of_zero_bytes_ends_when_there_is_data_and_takes_none()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        ValueTask<int> waiting = pair.Server.ReadAsync(Memory<byte>.Empty, StreamPair.Token);
        // Neither a KeyUpdate nor an empty write is data.
        await pair.OurClient.UpdateKeysAsync(requestPeer: true, StreamPair.Token);
        await pair.Client.WriteAsync(ReadOnlyMemory<byte>.Empty, StreamPair.Token);
        await Task.Delay(50, StreamPair.Token);
        Assert.False(waiting.IsCompleted);
        await pair.Client.WriteAsync("data"u8.ToArray(), StreamPair.Token);
        Assert.Equal(0, await waiting);
        Assert.Equal(0, await pair.Server.ReadAsync(Memory<byte>.Empty, StreamPair.Token));
        byte[] data = new byte[10];
        Assert.Equal(4, await pair.Server.ReadAsync(data, StreamPair.Token));
    }

    private static async Task ExchangeAsync(StreamPair pair)
    {
        Task<byte[]> toServer = ReceiveAsync(pair.Server), toClient = ReceiveAsync(pair.Client);
        Task<byte[]> clients = SendAsync(pair.Client, 1), servers = SendAsync(pair.Server, 2);
        byte[] fromClient = await clients, fromServer = await servers;
        // Ours first: libssl's object has no lock, and the framework's stream must not be shut down while it reads.
        if (pair.Client is SslStream)
        {
            await ShutdownAsync(pair.Server);
            Assert.Equal(fromServer, await toClient);
            await ShutdownAsync(pair.Client);
            Assert.Equal(fromClient, await toServer);
            return;
        }
        await ShutdownAsync(pair.Client);
        Assert.Equal(fromClient, await toServer);
        await ShutdownAsync(pair.Server);
        Assert.Equal(fromServer, await toClient);
    }

    private static Task ShutdownAsync(Stream stream) => stream is SslStream framework ? framework.ShutdownAsync() : ((CryptoPlaneSslStream)stream).ShutdownAsync(StreamPair.Token);

    /// <returns>SHA-256 of what was sent.</returns>
    private static async Task<byte[]> SendAsync(Stream stream, int seed)
    {
        var random = new Random(seed);
        byte[] data = new byte[Total];
        random.NextBytes(data);
        for (int done = 0; done < Total;)
        {
            int size = Math.Min(random.Next(4) == 0 ? random.Next(200_000) : random.Next(2_000), Total - done);
            await stream.WriteAsync(data.AsMemory(done, size), StreamPair.Token);
            done += size;
        }
        return SHA256.HashData(data);
    }

    /// <returns>SHA-256 of what came until the end.</returns>
    private static async Task<byte[]> ReceiveAsync(Stream stream)
    {
        var random = new Random(3);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[60_000];
        while (await stream.ReadAsync(buffer.AsMemory(0, random.Next(1, buffer.Length)), StreamPair.Token) is int count and > 0)
            hash.AppendData(buffer, 0, count);
        return hash.GetHashAndReset();
    }

    private static async Task UpdateAsync(CryptoPlaneSslStream stream)
    {
        for (int i = 0; i < 10; i++)
        {
            await stream.UpdateKeysAsync(requestPeer: i % 2 == 0, StreamPair.Token);
            await Task.Delay(1, StreamPair.Token);
        }
    }
}
