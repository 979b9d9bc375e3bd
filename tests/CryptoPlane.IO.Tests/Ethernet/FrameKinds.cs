using static CryptoPlane.IO.Tests.Ethernet.FrameForge;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>A frame of every kind that a <see cref="Station"/> tells apart, all of them well-formed.</summary>
internal static class FrameKinds
{
    private const string Us = Station.Mac, Peer = Station.PeerMac, IPv4Us = Station.IPv4, IPv6Us = Station.IPv6;
    private const string IPv4Peer = "10.0.0.2", IPv6Peer = "fd00::2", Group = "33-33-FF-00-00-01", GroupAddress = "ff02::1:ff00:1";

    private static readonly byte[] s_esp = EspPacket(44);
    private static readonly byte[] s_ike = [0, 0, 0, 0, .. s_esp];

    /// <summary>All of them by name.</summary>
    public static IReadOnlyDictionary<string, byte[]> All { get; } = new Dictionary<string, byte[]>
    {
        ["ESP in IPv4"] = FromPeer(IPv4(IPv4Peer, IPv4Us, Esp, s_esp)),
        ["ESP in IPv6"] = FromPeer(IPv6(IPv6Peer, IPv6Us, Esp, s_esp)),
        ["ESP in UDP in IPv4"] = FromPeer(IPv4(IPv4Peer, IPv4Us, Udp, UdpDatagram(40000, 4500, s_esp))),
        ["ESP in UDP in IPv6"] = FromPeer(IPv6(IPv6Peer, IPv6Us, Udp, UdpDatagram(40000, 4500, s_esp))),
        ["ESP behind IPv4 options"] = FromPeer(IPv4(IPv4Peer, IPv4Us, Esp, s_esp, options: [1, 1, 1, 1, 7, 4, 4, 0])),
        ["ESP with a priority tag"] = Tag(FromPeer(IPv4(IPv4Peer, IPv4Us, Esp, s_esp)), 0xA000),
        ["IKE in UDP"] = FromPeer(IPv4(IPv4Peer, IPv4Us, Udp, UdpDatagram(4500, 4500, s_ike))),
        ["NAT keep-alive"] = FromPeer(IPv4(IPv4Peer, IPv4Us, Udp, UdpDatagram(4500, 4500, [0xFF]))),
        ["UDP to another port"] = FromPeer(IPv6(IPv6Peer, IPv6Us, Udp, UdpDatagram(4500, 53, s_esp))),
        ["TCP"] = FromPeer(IPv4(IPv4Peer, IPv4Us, Tcp, new byte[32])),
        ["first fragment of ESP in IPv4"] = FromPeer(IPv4(IPv4Peer, IPv4Us, Esp, s_esp, fragment: 0x2000)),
        ["last fragment of ESP in IPv4"] = FromPeer(IPv4(IPv4Peer, IPv4Us, Esp, s_esp, fragment: 0x0007)),
        ["fragment of ESP in IPv6"] = FromPeer(IPv6(IPv6Peer, IPv6Us, 44, [50, 0, 0, 1, 0, 0, 0, 9, .. s_esp])),
        ["ESP behind hop-by-hop options"] = FromPeer(IPv6(IPv6Peer, IPv6Us, 0, [50, 0, 1, 4, 0, 0, 0, 0, .. s_esp])),
        ["echo request in IPv4"] = FromPeer(Echo(IPv4Peer, IPv4Us, 56)),
        ["echo request in IPv6"] = FromPeer(Echo(IPv6Peer, IPv6Us, 56)),
        ["packet in transit, IPv4"] = FromPeer(IPv4("192.0.2.1", "198.51.100.1", Udp, UdpDatagram(1, 2, s_esp))),
        ["packet in transit, IPv6"] = FromPeer(IPv6("2001:db8::1", "2001:db8:1::1", Udp, UdpDatagram(1, 2, s_esp))),
        ["IPv6 from a link-local address"] = FromPeer(IPv6("fe80::2", "2001:db8:1::1", Udp, UdpDatagram(1, 2, s_esp))),
        ["IPv4 multicast"] = Ip("01-00-5E-00-00-01", Peer, IPv4(IPv4Peer, "224.0.0.1", 2, s_esp)),
        ["IPv6 multicast"] = Ip("33-33-00-00-00-01", Peer, IPv6(IPv6Peer, "ff02::1", Udp, UdpDatagram(1, 2, s_esp))),
        ["IPv4 broadcast"] = Ip(Broadcast, Peer, IPv4("0.0.0.0", "255.255.255.255", Udp, UdpDatagram(68, 67, s_esp))),
        ["ESP by broadcast"] = Ip(Broadcast, Peer, IPv4(IPv4Peer, IPv4Us, Esp, s_esp)),
        ["ARP request for us"] = Arp(1, Broadcast, Peer, IPv4Peer, "00-00-00-00-00-00", IPv4Us),
        ["ARP probe for our address"] = Arp(1, Broadcast, Peer, "0.0.0.0", "00-00-00-00-00-00", IPv4Us),
        ["ARP request for another"] = Arp(1, Broadcast, Peer, IPv4Peer, "00-00-00-00-00-00", "10.0.0.3"),
        ["ARP reply"] = Arp(2, Us, Peer, IPv4Peer, Us, IPv4Us),
        ["ARP announcement"] = Arp(1, Broadcast, Peer, IPv4Peer, "00-00-00-00-00-00", IPv4Peer),
        ["solicitation by multicast"] = Neighbour(135, Group, Peer, IPv6Peer, GroupAddress, IPv6Us, Peer),
        ["solicitation by unicast"] = Neighbour(135, Us, Peer, IPv6Peer, IPv6Us, IPv6Us, Peer),
        ["solicitation without an address"] = Neighbour(135, Group, Peer, "::", GroupAddress, IPv6Us, null),
        ["advertisement, solicited"] = Neighbour(136, Us, Peer, IPv6Peer, IPv6Us, IPv6Peer, Peer, flags: 0x60),
        ["advertisement, unsolicited"] = Neighbour(136, "33-33-00-00-00-01", Peer, IPv6Peer, "ff02::1", IPv6Peer, Peer, flags: 0x20),
        ["router advertisement"] = Ip("33-33-00-00-00-01", Peer, IPv6("fe80::2", "ff02::1", IcmpV6, [134, 0, 0, 0, 64, 0, 7, 8, .. new byte[8]], 255)),
        ["VLAN 7"] = Tag(FromPeer(IPv4(IPv4Peer, IPv4Us, Esp, s_esp)), 7),
        ["two tags"] = Tag(Tag(FromPeer(IPv4(IPv4Peer, IPv4Us, Esp, s_esp)), 7), 0, TypeServiceVlan),
        ["LLDP"] = Frame("01-80-C2-00-00-0E", Peer, 0x88CC, new byte[46]),
        ["to another station"] = Ip("02-00-00-00-00-03", Peer, IPv4(IPv4Peer, IPv4Us, Esp, s_esp)),
        ["from our Ethernet address"] = Ip(Us, Us, IPv4(IPv4Peer, IPv4Us, Esp, s_esp)),
        ["from our IPv4 address"] = FromPeer(IPv4(IPv4Us, IPv4Us, Esp, s_esp)),
        ["from our IPv6 address"] = FromPeer(IPv6(IPv6Us, IPv6Us, Esp, s_esp)),
        ["from an IPv4 group"] = FromPeer(IPv4("224.0.0.5", IPv4Us, Esp, s_esp)),
        ["from IPv4 loopback"] = FromPeer(IPv4("127.0.0.1", IPv4Us, Esp, s_esp)),
        ["to IPv6 loopback"] = FromPeer(IPv6(IPv6Peer, "::1", Esp, s_esp)),
        ["IPv4-mapped in IPv6"] = FromPeer(IPv6("::ffff:10.0.0.2", IPv6Us, Esp, s_esp)),
    };

    private static byte[] FromPeer(byte[] packet) => Ip(Us, Peer, packet);
}
