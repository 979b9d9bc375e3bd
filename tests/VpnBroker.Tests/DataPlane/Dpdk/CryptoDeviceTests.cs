using System.Net;
using CryptoPlane.Dpdk;
using CryptoPlane.TestKit;
using CryptoPlane.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Configuration;
using VpnBroker.DataPlane;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Dpdk;

/// <summary>Tests that open devices by their names, one after the other.</summary>
[CollectionDefinition(nameof(DpdkDevicesGroup))]
public sealed class DpdkDevicesGroup;

/// <summary>A data plane whose configuration names crypto devices: lcores on threads of their own, sockets, and what status says.</summary>
[Collection(nameof(DpdkDevicesGroup))]
public sealed class CryptoDeviceTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Users_and_esp_work_on_the_devices_of_their_data_planes()
    {
        DpdkBed.Require();
        using var pair = new EspPairOfHosts(OnDevice(DpdkBed.First), OnDevice(DpdkBed.Second));
        await pair.ConnectAsync(TlsCipherSuite.Aes256GcmSha384);
        await pair.ExchangeAsync(50);
        foreach (DataPlaneHost host in pair.Hosts)
        {
            CryptoDeviceStatus device = Assert.Single((await host.GetStatusAsync(false)).Dpdk!.Crypto);
            CryptoQueueStatus queue = Assert.Single(device.Queues);
            Assert.Equal((CryptoDeviceState.Working, 0), (device.State, queue.Lcore));
            // Fifty packets each way, each opened once and sealed once.
            Assert.InRange(queue.ByDevice, 200ul, ulong.MaxValue);
            Assert.Equal((0ul, 0ul, 0ul, 0ul), (queue.ByCpu, queue.DeviceErrors, queue.Retried, queue.Lost));
        }
        await pair.StopAsync();
        AssertClosed(DpdkBed.First);
        AssertClosed(DpdkBed.Second);
    }

    [Fact]
    public async Task A_device_that_is_unplugged_under_traffic_is_replaced_by_the_cpu()
    {
        DpdkBed.Require();
        using var pair = new EspPairOfHosts(OnDevice(DpdkBed.First), OnDevice(DpdkBed.Second));
        await pair.ConnectAsync();
        await pair.ExchangeAsync(20);
        Task running = Task.Run(() => pair.SendAsync(600), TestContext.Current.CancellationToken);
        await Task.Delay(20, TestContext.Current.CancellationToken);
        pair.Hosts[0].Dpdk!.Crypto[0].GiveUp();
        await running;

        CryptoQueueStatus Queue() => Assert.Single(Assert.Single(pair.Hosts[0].GetStatusAsync(false).GetAwaiter().GetResult().Dpdk!.Crypto).Queues);
        Eventually.True(() => pair.ReceivedByFar == 620 - (int)Queue().Lost, "every packet that was not counted as lost");
        CryptoDeviceStatus device = Assert.Single((await pair.Hosts[0].GetStatusAsync(false)).Dpdk!.Crypto);
        Assert.Equal(CryptoDeviceState.Stopped, device.State);
        ulong byDevice = Queue().ByDevice;
        await pair.ExchangeAsync(20);
        Assert.Equal(byDevice, Queue().ByDevice);
        await pair.StopAsync();
        AssertClosed(DpdkBed.First);
    }

    [Fact]
    public async Task Chacha20_stays_with_the_cpu()
    {
        DpdkBed.Require();
        using var pair = new EspPairOfHosts(OnDevice(DpdkBed.First), OnDevice(DpdkBed.Second));
        await pair.ConnectAsync(TlsCipherSuite.ChaCha20Poly1305Sha256);
        await pair.ExchangeAsync(10);
        CryptoQueueStatus queue = Assert.Single(Assert.Single((await pair.Hosts[0].GetStatusAsync(false)).Dpdk!.Crypto).Queues);
        // The twenty ESP packets, and none of the users' records.
        Assert.Equal((20ul, 0ul), (queue.ByDevice, queue.ByCpu));
        await pair.StopAsync();
    }

    [Theory]
    [InlineData("crypto_nosuch0", "There is no crypto device 'crypto_nosuch0'")]
    [InlineData(DpdkBed.Null, "has no AES-GCM")]
    public void A_device_that_cannot_serve_ends_the_start_with_the_reason(string device, string message)
    {
        DpdkBed.Require();
        var error = Assert.Throws<InvalidOperationException>(() => Start(OnDevice(device), lcores: 1));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_lcores_than_queue_pairs_end_the_start_with_what_to_do()
    {
        DpdkBed.Require();
        var error = Assert.Throws<InvalidOperationException>(() => Start(OnDevice(DpdkBed.First), lcores: Cryptodev.Find(DpdkBed.First).MaxQueuePairs + 1));
        Assert.Contains("name some of them", error.Message, StringComparison.Ordinal);
        AssertClosed(DpdkBed.First);
    }

    [Fact]
    public async Task Lcores_without_a_device_work_with_their_cpu()
    {
        DpdkBed.Require();
        DpdkConfig dpdk = OnDevice(DpdkBed.First) with { Crypto = [new CryptoDeviceConfig { Device = DpdkBed.First, Lcores = [1] }] };
        DataPlaneHost host = Start(dpdk, lcores: 2);
        CryptoQueueStatus queue = Assert.Single(Assert.Single((await host.GetStatusAsync(false)).Dpdk!.Crypto).Queues);
        Assert.Equal(1, queue.Lcore);
        await host.StopAsync(s_deadline);
    }

    private static DpdkConfig OnDevice(string name) =>
        new() { HugePages = false, Crypto = [new CryptoDeviceConfig { Device = name }], Dispatch = new DispatchConfig { PreferDevice = true } };

    private static DataPlaneHost Start(DpdkConfig dpdk, int lcores) => DataPlaneHost.Start(
        new BrokerConfig
        {
            Listen = new ListenConfig { Endpoints = [new IPEndPoint(IPAddress.Loopback, 4433)] },
            Limits = new LimitsConfig { Sessions = 10 },
            Lcores = new LcoreConfig { Cpus = [.. Enumerable.Repeat(-1, lcores)] },
            Dpdk = dpdk,
        },
        [],
        NullLoggerFactory.Instance);

    /// <summary>A device can be opened only where nobody has it open, with its keys retired and its queue pairs given back.</summary>
    private static void AssertClosed(string name) => Cryptodev.Open(Cryptodev.Find(name)).Dispose();
}
