using System.Buffers.Binary;
using System.Net;

namespace VpnBroker.Tests.DataPlane;

/// <summary>IPv4 packets of sessions, with right header checksums.</summary>
internal static class FlowPackets
{
    public static byte[] IPv4(string from, string to, byte protocol, byte[] upper, int offset = 0, bool more = false, ushort id = 7)
    {
        byte[] packet = new byte[20 + upper.Length];
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)((offset / 8) | (more ? 0x2000 : 0)));
        packet[8] = 64;
        packet[9] = protocol;
        IPAddress.Parse(from).TryWriteBytes(packet.AsSpan(12), out _);
        IPAddress.Parse(to).TryWriteBytes(packet.AsSpan(16), out _);
        upper.CopyTo(packet, 20);
        InnerPackets.FixHeaderChecksum(packet);
        return packet;
    }

    public static byte[] Udp(string from, string to, ushort fromPort, ushort toPort, int payload = 40)
    {
        byte[] udp = new byte[8 + payload];
        BinaryPrimitives.WriteUInt16BigEndian(udp, fromPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(2), toPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(4), (ushort)udp.Length);
        return IPv4(from, to, 17, udp);
    }

    public static byte[] Tcp(string from, string to, ushort fromPort, ushort toPort, int flags, uint sequence, uint acknowledgement = 0, int payload = 0)
    {
        byte[] tcp = new byte[20 + payload];
        BinaryPrimitives.WriteUInt16BigEndian(tcp, fromPort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(2), toPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp.AsSpan(8), acknowledgement);
        tcp[12] = 0x50;
        tcp[13] = (byte)flags;
        return IPv4(from, to, 6, tcp);
    }

    /// <summary>An ICMP error about a packet: its header and 8 bytes.</summary>
    public static byte[] IcmpError(string from, string to, byte type, byte code, byte[] about) =>
        IPv4(from, to, 1, [type, code, 0, 0, 0, 0, 0, 0, .. about.AsSpan(0, 28)]);
}
