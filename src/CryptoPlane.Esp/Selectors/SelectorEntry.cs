using System.Runtime.InteropServices;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp.Selectors;

/// <summary>An <see cref="EspSelector"/> as it is compared with packets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SelectorEntry
{
    /// <summary>
    /// Where a TCP header ends. A fragment that begins before it could overwrite flags, and behind one that was let through by its ports
    /// even them (RFC 4301 §7.2 wants a minimum offset where fragments have an SA to themselves).
    /// </summary>
    private const int TcpHeader = 20;

    private UInt128 _first, _last;
    private ushort _firstPort, _lastPort;
    private byte _protocol;
    private bool _isIPv6;

    public static SelectorEntry From(EspSelector selector) => new()
    {
        _first = EspSelector.NumberOf(selector.FirstAddress),
        _last = EspSelector.NumberOf(selector.LastAddress),
        _firstPort = selector.FirstPort,
        _lastPort = selector.LastPort,
        _protocol = selector.Protocol,
        _isIPv6 = selector.IsIPv6,
    };

    /// <summary>Whether the sender's side of a packet matches.</summary>
    public readonly bool MatchesSource(in InnerFields packet) =>
        Matches(in packet, packet.Source, packet.SourcePort, packet.Ports != PortFields.None);

    /// <summary>
    /// Whether the receiver's side of a packet matches. Of a value that only the sender answers for nothing is asked here: a message
    /// type that an end may not send it may yet receive (RFC 4301 §4.4.1.3).
    /// </summary>
    public readonly bool MatchesDestination(in InnerFields packet) => packet.Ports == PortFields.One
        ? MatchesAddress(in packet, packet.Destination)
        : Matches(in packet, packet.Destination, packet.DestinationPort, packet.Ports != PortFields.None);

    private readonly bool Matches(in InnerFields packet, UInt128 address, ushort port, bool hasPort)
    {
        if (!MatchesAddress(in packet, address))
            return false;
        if (_firstPort == 0 && _lastPort == ushort.MaxValue)
            return true;
        if (hasPort)
            return port >= _firstPort && port <= _lastPort;
        bool isOpaque = _firstPort > _lastPort;
        bool isTooNear = packet.Protocol == IpProtocol.Tcp && packet.FragmentOffset is > 0 and < TcpHeader;
        return isOpaque && !isTooNear;
    }

    private readonly bool MatchesAddress(in InnerFields packet, UInt128 address) =>
        packet.IsIPv6 == _isIPv6 && (_protocol == 0 || _protocol == packet.Protocol) && address >= _first && address <= _last;
}
