using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Devices;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>An exception port that is a TAP interface of the broker's own, whose descriptors wake the lcores.</summary>
internal sealed class ExceptionTap : IExceptionPort
{
    private readonly TapDevice _device;
    private readonly List<TapPort> _ports = [];

    /// <summary>Makes the interface.</summary>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what is missing.</exception>
    public ExceptionTap(EthernetPortConfig config, PhysicalAddress mac, IReadOnlyList<PacketPool> pools, PortCatalog catalog)
    {
        _device = TapDevice.Open(new TapOptions { Name = config.ExceptionTap!, Queues = pools.Count, Mac = mac, Mtu = config.Mtu });
        try
        {
            IExceptionPort.Configure(new KernelInterface(_device.Name), config);
            for (int lcore = 0; lcore < pools.Count; lcore++)
            {
                var port = new TapPort(_device, lcore, pools[lcore]);
                _ports.Add(port);
                catalog.Add(new PortEntry($"tap:{_device.Name}", lcore, () => KernelPortReading.From(port.ReadCounters())));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IPacketPort PortOf(int lcore) => _ports[lcore];

    /// <inheritdoc/>
    public ExceptionWatch WatchOf(int lcore) => new(_ports[lcore].FileDescriptor, MustPoll: false);

    /// <inheritdoc/>
    public void SetLink(bool up) => _device.SetCarrier(up);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ports.ForEach(port => port.Dispose());
        _device.Dispose();
    }
}
