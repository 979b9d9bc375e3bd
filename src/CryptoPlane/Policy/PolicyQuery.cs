using System.Runtime.InteropServices;

namespace CryptoPlane.Policy;

/// <summary>
/// What a policy is asked about a flow, seen from its initiator: who sent its first packet is the source. Unmanaged; the default value knows
/// neither protocol nor ports.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct PolicyQuery
{
    /// <summary>A subject that no snapshot knows: what a packet carries whose sender cannot be told. Rules judge it as in <see cref="Subject"/>.</summary>
    public const uint UnknownSubject = uint.MaxValue;

    /// <summary>The first 64 bits of the initiator's IPv6 address, in host order; not read for IPv4.</summary>
    public ulong SourceHigh;

    /// <summary>The last 64 bits of the initiator's IPv6 address, in host order; IPv4 is in the lowest 32 bits, the others are not read.</summary>
    public ulong SourceLow;

    /// <summary>The first 64 bits of the responder's IPv6 address; as the source's.</summary>
    public ulong DestinationHigh;

    /// <summary>The last 64 bits of the responder's IPv6 address; as the source's.</summary>
    public ulong DestinationLow;

    /// <summary>
    /// Who the initiator is: a number that <see cref="PolicySnapshot.Assign"/> was given, or 0 for nobody whom users and groups are about (a network
    /// behind a peer). Of a number that the snapshot does not know, a rule about users or groups is taken to match if it denies, and not to match if
    /// it allows.
    /// </summary>
    public uint Subject;

    /// <summary>The initiator's port, in host order; read with <see cref="HasPorts"/>.</summary>
    public ushort SourcePort;

    /// <summary>The responder's port, in host order; read with <see cref="HasPorts"/>.</summary>
    public ushort DestinationPort;

    /// <summary>The upper protocol's number (6 for TCP); read with <see cref="HasProtocol"/>.</summary>
    public byte Protocol;

    /// <summary>What the initiator's packets come out of: a number of the application's, 0 to 31.</summary>
    public byte Ingress;

    /// <summary>What they go into, likewise.</summary>
    public byte Egress;

    /// <summary>Whether the addresses are IPv6.</summary>
    public bool IsIPv6;

    /// <summary>Whether the upper protocol is known: false where a chain of IPv6 extension headers is cut off.</summary>
    public bool HasProtocol;

    /// <summary>
    /// Whether the ports are known: false for protocols without ports, for later fragments (RFC 791 §3.2: the ports are in the first one) and for
    /// headers that are cut off. A rule about ports is then taken to match if it denies, and not to match if it allows.
    /// </summary>
    public bool HasPorts;
}
