using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.Dpdk;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Devices;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>
/// An exception port whose frames go by a DPDK device too: virtio_user over vhost-net, where a thread of the kernel copies them, so that an
/// lcore makes no system call for them; or net_tap.
/// </summary>
internal sealed class ExceptionDevice : IExceptionPort
{
    private readonly EthPort _device;
    private readonly KernelInterface _interface;

    /// <summary>Opens the device and sets up the interface that it has made in the kernel.</summary>
    /// <exception cref="InvalidOperationException">The device or the kernel refused; the message says what is missing.</exception>
    public ExceptionDevice(EthernetPortConfig config, PhysicalAddress mac, IReadOnlyList<PacketPool> pools, PortCatalog catalog)
    {
        // The kernel's frames are addressed to the port's neighbours.
        _device = EthernetPortUnit.OpenDevice(config, config.ExceptionDevice!.Split(',')[0], promiscuous: true, pools);
        try
        {
            _interface = new KernelInterface(config.ExceptionTap!);
            _interface.BringUp(mac, config.Mtu);
            IExceptionPort.Configure(_interface, config);
            catalog.Add(new PortEntry($"exception:{_interface.Name}", null, () => EthernetPortReading.From(_device.ReadCounters())));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IPacketPort PortOf(int lcore) => _device.Queue(lcore);

    /// <inheritdoc/>
    public ExceptionWatch WatchOf(int lcore) => ExceptionWatch.Polled;

    /// <inheritdoc/>
    public void SetLink(bool up) => _interface.SetCarrier(up);

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();
}
