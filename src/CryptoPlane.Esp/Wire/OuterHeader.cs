using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Esp.Wire;

/// <summary>
/// The outer IP and UDP headers of an SA, prebuilt: sealing a packet copies them and fills in lengths, traffic class and checksum.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
internal unsafe struct OuterHeader
{
    public const int SizeInBytes = 64;

    private const int TemplateSize = EspOverhead.IPv6 + EspOverhead.Udp;
    /// <summary>In the word of identification, flags and offset.</summary>
    private const uint DontFragment = 0x4000;

    /// <summary>Version and header length, in the first word.</summary>
    private const uint IPv4Version = 0x4500_0000;

    private const uint IPv6Version = 0x6000_0000;

    /// <summary>Version, traffic class, length, identification and flags: the bytes before the TTL.</summary>
    private const int IPv4VariablePart = 8;

    [FieldOffset(0)] private fixed byte _template[TemplateSize];

    /// <summary>The ones' complement sum of the IPv4 header from its TTL on, which is the same for every packet.</summary>
    [FieldOffset(48)] private uint _sum;

    /// <summary>Bytes before the ESP header: 0, 20, 28, 40 or 48.</summary>
    [FieldOffset(52)] public byte Length;

    [FieldOffset(53)] private byte _udp;
    [FieldOffset(54)] private EspDfPolicy _dontFragment;

    /// <summary>Longest packet with its headers; in this line because every packet is compared with it.</summary>
    [FieldOffset(56)] public ushort MaxPacket;

    /// <summary>Shorter inner packets are padded to this length.</summary>
    [FieldOffset(58)] public ushort PadTo;

    /// <summary>Transport mode: packets keep their IP header, and <see cref="Length"/> is what comes between it and ESP.</summary>
    [FieldOffset(60)] public bool KeepsHeader;

    /// <summary>Builds the headers, once per SA.</summary>
    /// <exception cref="ArgumentException">Addresses are missing or of two families.</exception>
    public static OuterHeader From(OutboundSaParameters parameters)
    {
        OuterHeader header = default;
        header.MaxPacket = LimitOf(parameters.MaxPacket);
        if (parameters.PadTo is < 0 or > ushort.MaxValue)
            throw new ArgumentException($"Inner packets cannot be padded to {parameters.PadTo} bytes.", nameof(parameters));
        header.PadTo = (ushort)parameters.PadTo;
        if (parameters.OuterHeader == EspOuterHeader.None)
            return header;
        if (parameters.Mode == SaMode.Transport)
        {
            if (parameters.PadTo != 0)
                throw new ArgumentException("Only in tunnel mode do packets say how much of them is padding (RFC 4303 §2.7).", nameof(parameters));
            header.KeepsHeader = true;
            if (parameters.OuterHeader == EspOuterHeader.IpUdp)
            {
                *(ushort*)header._template = NetworkOrder.From(parameters.SourcePort);
                *(ushort*)(header._template + 2) = NetworkOrder.From(parameters.DestinationPort);
                header._udp = header.Length = EspOverhead.Udp;
            }
            return header;
        }
        IPAddress? source = parameters.Source;
        IPAddress? destination = parameters.Destination;
        if (source is null || destination is null || source.AddressFamily != destination.AddressFamily)
            throw new ArgumentException("An outer header needs a source and a destination of one address family.", nameof(parameters));

        bool udp = parameters.OuterHeader == EspOuterHeader.IpUdp;
        byte protocol = udp ? IpProtocol.Udp : IpProtocol.Esp;
        byte* template = header._template;
        int ip;
        if (source.AddressFamily == AddressFamily.InterNetwork)
        {
            ip = EspOverhead.IPv4;
            template[0] = (byte)(IPv4Version >> 24);
            template[8] = parameters.HopLimit;
            template[9] = protocol;
            source.TryWriteBytes(new Span<byte>(template + 12, 4), out _);
            destination.TryWriteBytes(new Span<byte>(template + 16, 4), out _);
            ulong sum = InternetChecksum.Add(0, template + IPv4VariablePart, EspOverhead.IPv4 - IPv4VariablePart);
            header._sum = (uint)((sum & ushort.MaxValue) + ((sum >> 16) & ushort.MaxValue) + (sum >> 32));
        }
        else
        {
            ip = EspOverhead.IPv6;
            template[0] = (byte)(IPv6Version >> 24);
            template[6] = protocol;
            template[7] = parameters.HopLimit;
            source.TryWriteBytes(new Span<byte>(template + 8, 16), out _);
            destination.TryWriteBytes(new Span<byte>(template + 24, 16), out _);
        }
        if (udp)
        {
            *(ushort*)(template + ip) = NetworkOrder.From(parameters.SourcePort);
            *(ushort*)(template + ip + 2) = NetworkOrder.From(parameters.DestinationPort);
        }
        header._udp = udp ? (byte)EspOverhead.Udp : (byte)0;
        header._dontFragment = parameters.DontFragment;
        header.Length = (byte)(ip + header._udp);
        return header;
    }

    /// <summary>A limit as it is compared with: an IP packet's own where there is no other.</summary>
    /// <exception cref="ArgumentException">No inner packet would fit.</exception>
    public static ushort LimitOf(int maxPacket)
    {
        const int least = TemplateSize + EspOverhead.Header + EspOverhead.Iv + EspOverhead.IPv6 + EspOverhead.MaxTailroom;
        if (maxPacket is < 0 or (> 0 and < least) or > ushort.MaxValue)
            throw new ArgumentException($"A path takes packets of {least} to {ushort.MaxValue} bytes, not {maxPacket}.", nameof(maxPacket));
        return maxPacket == 0 ? ushort.MaxValue : (ushort)maxPacket;
    }

    /// <summary>Whether <see cref="WriteUdpChecksum"/> is due once the packet has been sealed, if it is IPv6.</summary>
    public readonly bool NeedsUdpChecksum => Length == EspOverhead.IPv6 + EspOverhead.Udp || Length == EspOverhead.Udp;

    /// <summary>Writes the headers of one packet. <see cref="Length"/> is not 0.</summary>
    /// <param name="packet">Where the outer packet begins.</param>
    /// <param name="total">Length of the outer packet, at most 65,535.</param>
    /// <param name="inner">The inner packet, measured and still plain.</param>
    /// <param name="sequence">The packet's sequence number.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Write(byte* packet, int total, byte* inner, ulong sequence)
    {
        // RFC 4301 §5.1.2: DSCP is copied. RFC 6040 §4.1: so is ECN, in normal mode.
        byte trafficClass = InnerPacket.TrafficClass(inner);
        int ip;
        // Sound: the caller has made sure of Length bytes of headroom, and Length is at most the template's size.
        fixed (byte* template = _template)
        {
            if (template[0] >> 4 == 4)
            {
                WriteIPv4(packet, template, total, inner, trafficClass, sequence);
                ip = EspOverhead.IPv4;
            }
            else
            {
                *(uint*)packet = NetworkOrder.From(IPv6Version | ((uint)trafficClass << 20));
                *(uint*)(packet + 4) = *(uint*)(template + 4);
                *(ushort*)(packet + 4) = NetworkOrder.From((ushort)(total - EspOverhead.IPv6));
                Unsafe.CopyBlockUnaligned(packet + 8, template + 8, EspOverhead.IPv6 - 8);
                ip = EspOverhead.IPv6;
            }
            if (_udp == 0)
                return;
            *(ulong*)(packet + ip) = *(ulong*)(template + ip);
        }
        // RFC 3948 §2.1: over IPv4 the UDP checksum is sent as 0.
        *(ushort*)(packet + ip + 4) = NetworkOrder.From((ushort)(total - ip));
    }

    /// <summary>Writes the UDP header between a packet's own IP header and ESP, in transport mode.</summary>
    /// <param name="udp">Where it goes.</param>
    /// <param name="length">Its bytes and all behind it.</param>
    public readonly void WriteTransportUdp(byte* udp, int length)
    {
        fixed (byte* template = _template)
            *(uint*)udp = *(uint*)template;
        *(ushort*)(udp + 4) = NetworkOrder.From((ushort)length);
        *(ushort*)(udp + 6) = 0;
    }

    /// <summary>Writes the UDP checksum, which IPv6 wants (RFC 8200 §8.1), over the sealed packet.</summary>
    public static void WriteUdpChecksum(byte* packet, int total)
    {
        byte* udp = packet + EspOverhead.IPv6;
        int length = total - EspOverhead.IPv6;
        ulong sum = InternetChecksum.Add(NetworkOrder.From((ushort)length), packet + 8, 32);
        sum += NetworkOrder.From((ushort)IpProtocol.Udp);
        ushort checksum = InternetChecksum.Finish(InternetChecksum.Add(sum, udp, length));
        // RFC 768: a computed 0 is sent as all ones, since 0 means "none".
        *(ushort*)(udp + 6) = checksum == 0 ? ushort.MaxValue : checksum;
    }

    /// <summary>
    /// Writes every word once and reads none back: a load of what was just stored in smaller pieces would wait for all of them to
    /// reach the cache.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void WriteIPv4(byte* packet, byte* template, int total, byte* inner, byte trafficClass, ulong sequence)
    {
        bool dontFragment = _dontFragment switch
        {
            EspDfPolicy.Set => true,
            EspDfPolicy.Clear => false,
            _ => inner[0] >> 4 == 6 || (inner[6] & (DontFragment >> 8)) != 0,
        };
        uint length = NetworkOrder.From(IPv4Version | ((uint)trafficClass << 16) | (uint)total);
        // RFC 6864 §4: an atomic datagram's identification means nothing, and stays 0.
        uint fragment = NetworkOrder.From(dontFragment ? DontFragment : (uint)(ushort)sequence << 16);
        *(uint*)packet = length;
        *(uint*)(packet + 4) = fragment;
        *(ulong*)(packet + 8) = *(ulong*)(template + 8);
        *(uint*)(packet + 16) = *(uint*)(template + 16);
        *(ushort*)(packet + 10) = InternetChecksum.Finish((ulong)_sum + length + fragment);
    }
}
