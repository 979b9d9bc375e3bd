using System.Net;
using CryptoPlane.TestKit;
using CryptoPlane.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Configuration;
using VpnBroker.DataPlane;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Dpdk;

/// <summary>Two data planes with ESP over UDP between them, and a user at either.</summary>
internal sealed class EspPairOfHosts : IDisposable
{
    private const string Near = "10.8.0.10", Far = "10.9.0.10";

    private readonly List<TestUser> _users = [];

    public EspPairOfHosts(DpdkConfig first, DpdkConfig second)
    {
        int firstPort = FreePort.Udp(), secondPort = FreePort.Udp();
        byte[] there = [.. Enumerable.Range(1, 20).Select(i => (byte)i)], back = [.. Enumerable.Range(101, 20).Select(i => (byte)i)];
        Hosts =
        [
            Start(first, "10.8.0.0/16", "10.9.0.0/16", firstPort, secondPort, back, there),
            Start(second, "10.9.0.0/16", "10.8.0.0/16", secondPort, firstPort, there, back),
        ];
    }

    public DataPlaneHost[] Hosts { get; }

    public int ReceivedByFar => Received(_users[1]);

    public async Task ConnectAsync(TlsCipherSuite suite = TlsCipherSuite.Aes128GcmSha256)
    {
        _users.AddRange(new TestUser(1, suite), new TestUser(2, suite));
        await Hosts[0].AttachUserAsync(DataPlaneHostTests.RequestOf(_users[0], 1, 0, Near));
        await Hosts[1].AttachUserAsync(DataPlaneHostTests.RequestOf(_users[1], 2, 0, Far));
    }

    /// <summary>Sends packets both ways and waits until all are there.</summary>
    public async Task ExchangeAsync(int count)
    {
        int near = Received(_users[0]), far = Received(_users[1]);
        await SendAsync(count);
        for (int i = 0; i < count; i++)
            _users[1].SendPacket(InnerPackets.Udp(Far, Near, 300, seed: i));
        Eventually.True(() => Received(_users[0]) == near + count && Received(_users[1]) == far + count, "packets both ways");
    }

    /// <summary>Sends packets from the near user to the far one, a few at a time, so that no socket drops any.</summary>
    public async Task SendAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _users[0].SendPacket(InnerPackets.Udp(Near, Far, 300, seed: i));
            if (i % 10 == 9)
                await Task.Delay(1);
        }
    }

    public Task StopAsync() => Task.WhenAll(Hosts.Select(host => host.StopAsync(TimeSpan.Zero)));

    public void Dispose()
    {
        StopAsync().GetAwaiter().GetResult();
        _users.ForEach(user => user.Dispose());
    }

    private static int Received(TestUser user)
    {
        user.Receive();
        return user.Packets.Count;
    }

    private static DataPlaneHost Start(DpdkConfig dpdk, string pool, string remote, int localPort, int remotePort, byte[] inboundKey, byte[] outboundKey) =>
        DataPlaneHost.Start(
            DataPlaneHostTests.EspConfigOf(pool, remote, localPort, remotePort, inboundKey, outboundKey) with { Dpdk = dpdk },
            [new SequenceRange(1, 100_000)],
            NullLoggerFactory.Instance);
}
