using System.Globalization;
using System.Net;
using CryptoPlane.IO.Ethernet;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>
/// The two neighbours of a broker: the router of its local network on one port, and the far end of its ESP tunnel on the other. Plain packets
/// of a host behind the router must arrive through the tunnel, and the other way round.
/// </summary>
internal static class TunnelRun
{
    /// <param name="ports">The router's port, and that of the tunnel's far end.</param>
    /// <param name="names">ROUTER/LENGTH BROKER HOST, GATEWAY/LENGTH BROKER HOST, SPI:SECRET towards the broker and from it.</param>
    /// <param name="input">What ends it.</param>
    public static void Run((string Router, string Gateway) ports, IReadOnlyList<string> names, StandardInput input)
    {
        using var both = new LabPorts(ports.Router, ports.Gateway);
        using EthernetIpPort router = Station(both, both.First, EthernetRole.Inside, names[0], names[1]);
        using EthernetIpPort gateway = Station(both, both.Second, EthernetRole.Outside, names[3], null);
        var tunnel = new EspStation(gateway, both.Pool, IPAddress.Parse(names[3].Split('/')[0]), IPAddress.Parse(names[4]), SaOf(names[6]), SaOf(names[7]));
        var packets = new NumberedPacket(IPAddress.Parse(names[2]), IPAddress.Parse(names[5]));
        TrafficRun.Exchange(both, router, tunnel, packets, input, now =>
        {
            router.Tick(now);
            gateway.Tick(now);
        });
        if (tunnel.Refused != 0)
            throw new LabFailure($"{tunnel.Refused} packets of the tunnel did not open");
    }

    private static EthernetIpPort Station(LabPorts ports, EthQueue queue, EthernetRole role, string address, string? gateway)
    {
        string[] parts = address.Split('/');
        return new EthernetIpPort(queue, new EthernetIpOptions
        {
            Mac = queue == ports.First ? ports.FirstMac : ports.SecondMac,
            Addresses = [(IPAddress.Parse(parts[0]), int.Parse(parts[1], CultureInfo.InvariantCulture))],
            Gateways = gateway == null ? [] : [IPAddress.Parse(gateway)],
            Role = role,
        }, ports.Pool);
    }

    private static EspSa SaOf(string text)
    {
        string[] parts = text.Split(':');
        return new EspSa(uint.Parse(parts[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture), Convert.FromHexString(parts[1]));
    }
}
