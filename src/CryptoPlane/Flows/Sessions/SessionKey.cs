using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>
/// What makes packets one session: both directions give the same key, whose lower end is the smaller of address and port.
/// </summary>
/// <remarks>Which end began is not in the key: a packet's <see cref="SessionPacket.IsFromUpper"/> says which end sent it.</remarks>
[StructLayout(LayoutKind.Sequential, Size = SizeInBytes)]
public readonly struct SessionKey : IFlowKey<SessionKey>, IEquatable<SessionKey>
{
    /// <summary>Size of the struct; every byte counts for equality.</summary>
    public const int SizeInBytes = 40;

    private readonly SessionAddress _lower;
    private readonly SessionAddress _upper;
    private readonly ushort _lowerPort;
    private readonly ushort _upperPort;
    private readonly byte _protocol;
    private readonly SessionKeyKind _kind;
    private readonly byte _query;
    private readonly byte _reserved;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private SessionKey(SessionAddress lower, SessionAddress upper, ushort lowerPort, ushort upperPort, byte protocol, SessionKeyKind kind, byte query)
    {
        _lower = lower;
        _upper = upper;
        _lowerPort = lowerPort;
        _upperPort = upperPort;
        _protocol = protocol;
        _kind = kind;
        _query = query;
        _reserved = 0;
    }

    /// <summary>The end with the smaller address, or of one address the smaller port.</summary>
    public SessionAddress Lower => _lower;

    /// <summary>The other end.</summary>
    public SessionAddress Upper => _upper;

    /// <summary>The lower end's port; of <see cref="SessionKeyKind.Query"/> the identifier; 0 without ports.</summary>
    public ushort LowerPort => _lowerPort;

    /// <summary>The upper end's port; of <see cref="SessionKeyKind.Query"/> the identifier; 0 without ports.</summary>
    public ushort UpperPort => _upperPort;

    /// <summary>
    /// The upper protocol's number; of IPv6 packets whose chain of headers could not be followed to its end, the number of the extension
    /// header where it stopped.
    /// </summary>
    public byte Protocol => _protocol;

    /// <summary>What the ports mean.</summary>
    public SessionKeyKind Kind => _kind;

    /// <summary>Whether the ports are ports, so that rules about ports may look at them.</summary>
    public bool HasPorts => _kind == SessionKeyKind.Ports;

    /// <summary>Whether <see cref="Protocol"/> is an upper protocol: false where a chain of extension headers was not followed to its end.</summary>
    public bool HasProtocol => _lower.IsIPv4 || !SessionParser.IsExtension(_protocol);

    /// <summary>Makes the key of a packet.</summary>
    /// <param name="source">The packet's source.</param>
    /// <param name="destination">The packet's destination.</param>
    /// <param name="sourcePort">The source's port.</param>
    /// <param name="destinationPort">The destination's port.</param>
    /// <param name="protocol">The upper protocol.</param>
    /// <param name="kind">What the ports mean.</param>
    /// <param name="query">Of <see cref="SessionKeyKind.Query"/> the request's type; else 0.</param>
    /// <param name="isFromUpper">Whether the source is the key's upper end.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SessionKey Of(
        SessionAddress source, SessionAddress destination, ushort sourcePort, ushort destinationPort, byte protocol, SessionKeyKind kind, byte query,
        out bool isFromUpper)
    {
        isFromUpper = source.High != destination.High ? source.High > destination.High
            : source.Low != destination.Low ? source.Low > destination.Low
            : sourcePort > destinationPort;
        return isFromUpper
            ? new SessionKey(destination, source, destinationPort, sourcePort, protocol, kind, query)
            : new SessionKey(source, destination, sourcePort, destinationPort, protocol, kind, query);
    }

    /// <summary>The same for two ports of IPv4, whose order is that of 48 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static SessionKey OfIPv4(uint source, uint destination, ushort sourcePort, ushort destinationPort, byte protocol, out bool isFromUpper)
    {
        isFromUpper = (((ulong)source << 16) | sourcePort) > (((ulong)destination << 16) | destinationPort);
        return isFromUpper
            ? new SessionKey(SessionAddress.FromIPv4(destination), SessionAddress.FromIPv4(source), destinationPort, sourcePort, protocol, SessionKeyKind.Ports, 0)
            : new SessionKey(SessionAddress.FromIPv4(source), SessionAddress.FromIPv4(destination), sourcePort, destinationPort, protocol, SessionKeyKind.Ports, 0);
    }

    /// <summary>A number that both directions of everything between two addresses share, to choose one of several lcores by.</summary>
    /// <remarks>Not keyed: who makes many sessions of one number loads one lcore, as one heavy session would.</remarks>
    public uint PairHash() => (uint)(Mix(_lower.High ^ _upper.High ^ 0x9E37_79B9_7F4A_7C15, _lower.Low ^ 0xD6E8_FEB8_6659_FD93, _upper.Low ^ 0xA076_1D64_78BD_642F) >> 32);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash(in SessionKey key, in FlowHashSeed seed) => FlowHash.Of(key, seed);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Equals(in SessionKey a, in SessionKey b) => FlowHash.Same(a, b);

    /// <inheritdoc/>
    // Sound: the struct is 40 bytes without gaps.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(SessionKey other) => _lower.Low == other._lower.Low && _upper.Low == other._upper.Low && Last == other.Last
        && _lower.High == other._lower.High && _upper.High == other._upper.High;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SessionKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_lower, _upper, Last);

    /// <summary>Whether both are the same session.</summary>
    public static bool operator ==(SessionKey left, SessionKey right) => left.Equals(right);

    /// <summary>Whether they are two sessions.</summary>
    public static bool operator !=(SessionKey left, SessionKey right) => !left.Equals(right);

    /// <summary>Ports, protocol and kind in one number.</summary>
    internal ulong Last
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unsafe.As<ushort, ulong>(ref Unsafe.AsRef(in _lowerPort));
    }

    private static ulong Mix(ulong a, ulong b, ulong c)
    {
        ulong high = Math.BigMul(a ^ b, c, out ulong low);
        return BitOperations.RotateLeft(high ^ low, 23) * 0x9E37_79B9_7F4A_7C15;
    }
}
