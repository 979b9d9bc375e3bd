using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using CryptoPlane.Ports;

namespace CryptoPlane.Capture;

/// <summary>
/// Which packets a capture takes: all conditions that are set must hold. Unmanaged, so that it lies beside the ring and is read by the
/// lcore alone. Bytes that no header of the right kind covers match nothing.
/// </summary>
/// <remarks>Protocol and ports are read behind the fixed IPv6 header: extension headers count as their own protocol.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CaptureFilter
{
    /// <summary>Addresses that <see cref="TryAddHost"/> takes.</summary>
    public const int MaxHosts = 16;

    private const byte Icmp = 1, Tcp = 6, Udp = 17, Esp = 50, IcmpV6 = 58;
    private const int EspPort = 4500;

    private fixed ulong _hosts[MaxHosts * 2];
    private fixed byte _versions[MaxHosts];
    private int _hostCount;

    /// <summary>The IP protocol, or null for any; 1 stands for ICMPv6 (58) as well.</summary>
    /// <remarks>50 takes ESP in UDP too, on port 4500 and on ports of UDP payloads (RFC 3948).</remarks>
    public byte? Protocol { get; set; }

    /// <summary>A UDP or TCP port, source or destination; null for any.</summary>
    public ushort? Port { get; set; }

    /// <summary>The SPI of ESP packets; null for any.</summary>
    public uint? Spi { get; set; }

    /// <summary>Whether only packets of certain hosts are taken; with no host added then, none is.</summary>
    public bool ByHost { get; set; }

    /// <summary>Adds an address that may be source or destination: a packet of any of them is taken.</summary>
    /// <returns>False when there are <see cref="MaxHosts"/> already.</returns>
    public bool TryAddHost(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (_hostCount == MaxHosts)
            return false;
        ByHost = true;
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        address.TryWriteBytes(bytes, out _);
        _versions[_hostCount] = (byte)(address.AddressFamily == AddressFamily.InterNetwork ? 4 : 6);
        _hosts[2 * _hostCount] = MemoryMarshal.Read<ulong>(bytes);
        _hosts[(2 * _hostCount) + 1] = MemoryMarshal.Read<ulong>(bytes[8..]);
        _hostCount++;
        return true;
    }

    /// <summary>Whether a packet is taken.</summary>
    /// <param name="data">Its bytes.</param>
    /// <param name="length">How many.</param>
    /// <param name="framing">What they begin with.</param>
    /// <param name="peer">The other end, for framings without an address; its version is 0 where none is known.</param>
    /// <param name="local">This end, likewise.</param>
    public readonly bool Matches(byte* data, int length, CaptureFraming framing, in PacketEndpoint peer, in PacketEndpoint local)
    {
        if (!ByHost && Protocol == null && Port == null && Spi == null)
            return true;
        var packet = new ReadOnlySpan<byte>(data, length);
        switch (framing)
        {
            case CaptureFraming.Ethernet:
                return MatchesEthernet(packet);
            case CaptureFraming.Ip:
                return MatchesIp(packet);
            case CaptureFraming.UdpPayload:
                // Four zeros in the place of the SPI mark IKE (RFC 3948 §2.2).
                bool isEsp = packet.Length >= 4 && BinaryPrimitives.ReadUInt32BigEndian(packet) != 0;
                return MatchesEnds(peer, local) && MatchesProtocol(Udp, isEsp) && (Port == null || Port == peer.Port || Port == local.Port) && MatchesSpi(packet, isEsp);
            case CaptureFraming.TcpPayload:
                return MatchesEnds(peer, local) && MatchesProtocol(Tcp, isEsp: false) && (Port == null || Port == peer.Port || Port == local.Port) && Spi == null;
            default:
                return MatchesEnds(peer, local) && MatchesProtocol(Esp, isEsp: true) && Port == null && MatchesSpi(packet, isEsp: true);
        }
    }

    private readonly bool MatchesEthernet(ReadOnlySpan<byte> frame)
    {
        int type = 12;
        // One IEEE 802.1Q or 802.1ad tag.
        if (frame.Length >= 18 && BinaryPrimitives.ReadUInt16BigEndian(frame[type..]) is 0x8100 or 0x88A8)
            type += 4;
        return frame.Length >= type + 2 && BinaryPrimitives.ReadUInt16BigEndian(frame[type..]) is 0x0800 or 0x86DD && MatchesIp(frame[(type + 2)..]);
    }

    private readonly bool MatchesIp(ReadOnlySpan<byte> packet)
    {
        if (packet.Length >= 20 && packet[0] >> 4 == 4)
        {
            int header = (packet[0] & 15) * 4;
            bool laterFragment = (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & 0x1FFF) != 0;
            return header >= 20 && (!ByHost || IsHost(4, packet.Slice(12, 4)) || IsHost(4, packet.Slice(16, 4)))
                && MatchesTransport(packet[9], laterFragment || packet.Length < header ? [] : packet[header..]);
        }
        return packet.Length >= 40 && packet[0] >> 4 == 6
            && (!ByHost || IsHost(6, packet.Slice(8, 16)) || IsHost(6, packet.Slice(24, 16))) && MatchesTransport(packet[6], packet[40..]);
    }

    private readonly bool MatchesTransport(byte protocol, ReadOnlySpan<byte> transport)
    {
        bool hasPorts = protocol is Tcp or Udp && transport.Length >= 4;
        ushort source = hasPorts ? BinaryPrimitives.ReadUInt16BigEndian(transport) : (ushort)0;
        ushort destination = hasPorts ? BinaryPrimitives.ReadUInt16BigEndian(transport[2..]) : (ushort)0;
        if (Port is { } port && !(hasPorts && (source == port || destination == port)))
            return false;
        ReadOnlySpan<byte> esp = protocol == Udp && transport.Length >= 8 ? transport[8..] : transport;
        bool isEsp = protocol == Esp
            || (protocol == Udp && (source == EspPort || destination == EspPort) && esp.Length >= 4 && BinaryPrimitives.ReadUInt32BigEndian(esp) != 0);
        return MatchesProtocol(protocol, isEsp) && MatchesSpi(esp, isEsp);
    }

    private readonly bool MatchesProtocol(byte protocol, bool isEsp) =>
        Protocol == null || Protocol == protocol || (Protocol == Esp && isEsp) || (Protocol == Icmp && protocol == IcmpV6);

    private readonly bool MatchesSpi(ReadOnlySpan<byte> esp, bool isEsp) =>
        Spi == null || (isEsp && esp.Length >= 4 && BinaryPrimitives.ReadUInt32BigEndian(esp) == Spi);

    private readonly bool MatchesEnds(in PacketEndpoint peer, in PacketEndpoint local) => !ByHost || IsHost(peer) || IsHost(local);

    private readonly bool IsHost(in PacketEndpoint end)
    {
        fixed (byte* address = end.Address)
            return IsHost(end.IpVersion, new ReadOnlySpan<byte>(address, end.IpVersion == 4 ? 4 : 16));
    }

    private readonly bool IsHost(byte version, ReadOnlySpan<byte> address)
    {
        ulong first = version == 4 ? MemoryMarshal.Read<uint>(address) : MemoryMarshal.Read<ulong>(address);
        ulong second = version == 4 ? 0 : MemoryMarshal.Read<ulong>(address[8..]);
        for (int i = 0; i < _hostCount; i++)
        {
            if (_versions[i] == version && _hosts[2 * i] == first && _hosts[(2 * i) + 1] == second)
                return true;
        }
        return false;
    }
}
