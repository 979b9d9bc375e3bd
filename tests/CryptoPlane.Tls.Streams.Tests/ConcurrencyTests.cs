using System.Security.Cryptography;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Streams.Tests.Support;

namespace CryptoPlane.Tls.Streams.Tests;

/// <summary>What may be under way at a time, and what cancelling leaves behind.</summary>
public sealed class ConcurrencyTests
{
    /// <summary>More than the sockets' buffers hold.</summary>
    private const int TooMuch = 32_000_000;

    [Fact]
    public async Task A_second_read_and_a_second_write_are_refused_and_the_first_go_on()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        byte[] data = new byte[10];
        Task<int> reading = pair.Server.ReadAsync(data, StreamPair.Token).AsTask();
        await Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Server.ReadAsync(new byte[10], StreamPair.Token));
        await pair.Client.WriteAsync("one"u8.ToArray(), StreamPair.Token);
        Assert.Equal(3, await reading);

        byte[] large = new byte[TooMuch];
        Task writing = pair.Client.WriteAsync(large, StreamPair.Token).AsTask();
        await Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Client.WriteAsync(data, StreamPair.Token));
        await pair.Server.ReadExactlyAsync(large, StreamPair.Token);
        await writing;
        await pair.Client.WriteAsync("two"u8.ToArray(), StreamPair.Token);
        Assert.Equal(3, await pair.Server.ReadAsync(data, StreamPair.Token));
    }

    [Fact]
    public async Task A_key_update_is_answered_behind_a_write_that_waits_and_does_not_hold_up_the_reader()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        byte[] large = RandomNumberGenerator.GetBytes(TooMuch), received = new byte[TooMuch];
        // The server writes, and nobody reads it yet: its answers must wait, and its reads must not.
        Task writing = pair.Server.WriteAsync(large, StreamPair.Token).AsTask();
        byte[] data = new byte[100];
        for (int i = 0; i < 3; i++)
        {
            await pair.OurClient.UpdateKeysAsync(requestPeer: true, StreamPair.Token);
            await pair.Client.WriteAsync("still there"u8.ToArray(), StreamPair.Token);
            Assert.Equal(11, await pair.Server.ReadAtLeastAsync(data, 11, cancellationToken: StreamPair.Token));
        }
        Assert.False(writing.IsCompleted);
        await pair.Client.ReadExactlyAsync(received, StreamPair.Token);
        await writing;
        Assert.Equal(large, received);
        Assert.Equal(3u, pair.OurServer.Connection.KeyUpdatesReceived);
        Assert.InRange(pair.OurServer.Connection.KeyUpdatesSent, 1u, 3u);
    }

    [Fact]
    public async Task A_key_update_is_answered_though_nobody_writes()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        Task<int> reading = pair.Server.ReadAsync(new byte[10], StreamPair.Token).AsTask();
        Task<int> answer = pair.Client.ReadAsync(new byte[10], StreamPair.Token).AsTask();
        await pair.OurClient.UpdateKeysAsync(requestPeer: true, StreamPair.Token);
        Eventually.True(() => pair.OurClient.Connection.KeyUpdatesReceived == 1, "the answer to the KeyUpdate");
        await pair.Client.WriteAsync(new byte[1], StreamPair.Token);
        await pair.Server.WriteAsync(new byte[2], StreamPair.Token);
        Assert.Equal(1, await reading);
        Assert.Equal(2, await answer);
    }

    [Fact]
    public async Task A_read_that_is_cancelled_loses_nothing()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        for (int i = 0; i < 3; i++)
        {
            using var cancel = new CancellationTokenSource();
            Task<int> reading = pair.Server.ReadAsync(new byte[10], cancel.Token).AsTask();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        }
        await pair.Client.WriteAsync("data"u8.ToArray(), StreamPair.Token);
        Assert.Equal(4, await pair.Server.ReadAsync(new byte[10], StreamPair.Token));
    }

    [Fact]
    public async Task A_write_that_is_cancelled_half_way_ends_the_writing_alone()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        using var cancel = new CancellationTokenSource();
        Task writing = pair.Client.WriteAsync(new byte[TooMuch], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        await Assert.ThrowsAsync<IOException>(async () => await pair.Client.WriteAsync(new byte[1], StreamPair.Token));
        await Assert.ThrowsAsync<IOException>(() => pair.OurClient.ShutdownAsync(StreamPair.Token));
        await pair.Server.WriteAsync("data"u8.ToArray(), StreamPair.Token);
        Assert.Equal(4, await pair.Client.ReadAsync(new byte[10], StreamPair.Token));
    }

    [Fact]
    public async Task A_write_that_is_cancelled_before_it_begins_does_no_harm()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Client.WriteAsync(new byte[1], new CancellationToken(canceled: true)));
        await pair.Client.WriteAsync("data"u8.ToArray(), StreamPair.Token);
        Assert.Equal(4, await pair.Server.ReadAsync(new byte[10], StreamPair.Token));
    }

    [Fact]
    public async Task Shutdown_waits_for_the_write_that_is_under_way()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        Task writing = pair.Client.WriteAsync(new byte[TooMuch], StreamPair.Token).AsTask();
        Task closing = pair.OurClient.ShutdownAsync(StreamPair.Token);
        Assert.False(closing.IsCompleted);
        await pair.Server.ReadExactlyAsync(new byte[TooMuch], StreamPair.Token);
        await Task.WhenAll(writing, closing);
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1], StreamPair.Token));
    }

    [Fact]
    public async Task A_handshake_that_is_cancelled_or_disposed_of_ends()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var server = new CryptoPlaneSslStream(tcp.Server, leaveInnerStreamOpen: true);
        using var cancel = new CancellationTokenSource();
        Task handshake = server.AuthenticateAsServerAsync(StreamPair.ServerOptions, cancel.Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => server.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await server.ReadAsync(new byte[1], StreamPair.Token));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => handshake);

        var other = new CryptoPlaneSslStream(tcp.Server);
        Task second = other.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token);
        await other.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => second);
        Assert.False(other.IsAuthenticated);
    }
}
