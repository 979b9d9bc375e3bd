using System.Net.Sockets;
using CryptoPlane.Tls.Streams.Tests.Support;

namespace CryptoPlane.Tls.Streams.Tests;

/// <summary>How connections end: in an orderly way, cut off, by an alert, by this side.</summary>
public sealed class EndTests
{
    [Fact]
    public async Task Behind_close_notify_there_is_no_more_and_the_other_direction_goes_on()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        await pair.Client.WriteAsync("last"u8.ToArray(), StreamPair.Token);
        await pair.OurClient.ShutdownAsync(StreamPair.Token);
        await pair.OurClient.ShutdownAsync(StreamPair.Token);
        Assert.False(pair.Client.CanWrite);
        byte[] data = new byte[100];
        Assert.Equal(4, await pair.Server.ReadAtLeastAsync(data, 4, cancellationToken: StreamPair.Token));
        Assert.Equal(0, await pair.Server.ReadAsync(data, StreamPair.Token));
        Assert.Equal(0, await pair.Server.ReadAsync(data, StreamPair.Token));
        await pair.Server.WriteAsync("answer"u8.ToArray(), StreamPair.Token);
        Assert.Equal(6, await pair.Client.ReadAtLeastAsync(data, 6, cancellationToken: StreamPair.Token));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await pair.Client.WriteAsync(data, StreamPair.Token));
    }

    [Fact]
    public async Task An_end_without_close_notify_is_a_cut_and_no_end()
    {
        await using StreamPair pair = await StreamPair.OursAsync();
        await pair.Client.WriteAsync("half of it"u8.ToArray(), StreamPair.Token);
        await pair.Client.DisposeAsync();
        byte[] data = new byte[100];
        Assert.Equal(10, await pair.Server.ReadAtLeastAsync(data, 10, cancellationToken: StreamPair.Token));
        await Assert.ThrowsAsync<EndOfStreamException>(async () => await pair.Server.ReadAsync(data, StreamPair.Token));
        await Assert.ThrowsAsync<EndOfStreamException>(async () => await pair.Server.ReadAsync(data, StreamPair.Token));
    }

    [Fact]
    public async Task A_protocol_that_knows_its_ends_may_take_a_cut_for_one()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var server = new CryptoPlaneSslStream(tcp.Server) { AllowsTruncation = true };
        await using (var client = new CryptoPlaneSslStream(tcp.Client))
        {
            await Task.WhenAll(
                client.AuthenticateAsClientAsync(StreamPair.ClientOptions, StreamPair.Token),
                server.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token));
        }
        Assert.Equal(0, await server.ReadAsync(new byte[10], StreamPair.Token));
        Assert.Equal(0, await server.ReadAsync(new byte[10], StreamPair.Token));
    }

    [Fact]
    public async Task A_cut_within_a_record_is_a_cut_as_well()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var server = new CryptoPlaneSslStream(tcp.Server);
        await using var client = new CryptoPlaneSslStream(tcp.Client, leaveInnerStreamOpen: true);
        await Task.WhenAll(
            client.AuthenticateAsClientAsync(StreamPair.ClientOptions, StreamPair.Token),
            server.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token));
        await client.DisposeAsync();
        Assert.True(tcp.Client.CanWrite);
        await tcp.Client.WriteAsync(new byte[] { 23, 3, 3, 0, 100, 1, 2, 3 }, StreamPair.Token);
        ((NetworkStream)tcp.Client).Socket.Shutdown(SocketShutdown.Send);
        await Assert.ThrowsAsync<EndOfStreamException>(async () => await server.ReadAsync(new byte[10], StreamPair.Token));
    }

    [Fact]
    public async Task What_is_no_record_is_answered_with_an_alert_and_ends_both_directions()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var server = new CryptoPlaneSslStream(tcp.Server);
        await using var client = new CryptoPlaneSslStream(tcp.Client, leaveInnerStreamOpen: true);
        await Task.WhenAll(
            client.AuthenticateAsClientAsync(StreamPair.ClientOptions, StreamPair.Token),
            server.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token));
        byte[] forged = new byte[5 + 40];
        forged[0] = 23;
        forged[1] = forged[2] = 3;
        forged[4] = 40;
        await tcp.Client.WriteAsync(forged, StreamPair.Token);
        IOException refusal = await Assert.ThrowsAsync<IOException>(async () => await server.ReadAsync(new byte[10], StreamPair.Token));
        Assert.Contains(nameof(TlsAlert.BadRecordMac), refusal.Message, StringComparison.Ordinal);
        Assert.Equal(TlsAlert.BadRecordMac, server.Error?.Alert);
        await Assert.ThrowsAsync<IOException>(async () => await server.WriteAsync(new byte[10], StreamPair.Token));
        await Assert.ThrowsAsync<IOException>(async () => await server.ReadAsync(new byte[10], StreamPair.Token));

        // The other side is told.
        await Assert.ThrowsAsync<IOException>(async () => await client.ReadAsync(new byte[10], StreamPair.Token));
        Assert.Equal(TlsErrorKind.PeerAlerted, client.Error?.Kind);
        Assert.Equal(TlsAlert.BadRecordMac, client.Error?.Alert);
    }

    [Fact]
    public async Task A_stream_that_is_disposed_of_is_of_no_use_and_what_waits_in_it_ends()
    {
        StreamPair pair = await StreamPair.OursAsync();
        Task<int> waiting = pair.Server.ReadAsync(new byte[10], StreamPair.Token).AsTask();
        await pair.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pair.Server.ReadAsync(new byte[10], StreamPair.Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pair.Server.WriteAsync(new byte[10], StreamPair.Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pair.OurServer.ShutdownAsync(StreamPair.Token));
        Assert.False(pair.Server.CanRead);
        await pair.DisposeAsync();
    }

    [Fact]
    public async Task Certificates_outlive_the_stream()
    {
        StreamPair pair = await StreamPair.OursAsync();
        System.Security.Cryptography.X509Certificates.X509Certificate certificate = pair.OurClient.RemoteCertificate!;
        await pair.DisposeAsync();
        Assert.Equal(CryptoPlane.Tls.Tests.Support.TestCertificates.EcdsaP256.GetCertHashString(), certificate.GetCertHashString());
        certificate.Dispose();
    }
}
