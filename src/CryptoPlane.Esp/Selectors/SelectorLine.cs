using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp.Selectors;

/// <summary>How an SA's selectors are compared with a packet that it carried.</summary>
internal enum SelectorKind : byte
{
    /// <summary>Not at all: it may carry everything.</summary>
    Any = 0,

    /// <summary>Up to four ranges of IPv4 addresses for either end, in the SA's <see cref="SelectorLine"/>.</summary>
    IPv4 = 1,

    /// <summary>One range of IPv6 addresses for either end, in the SA's <see cref="SelectorLine"/>.</summary>
    IPv6 = 2,

    /// <summary>By the <see cref="SelectorTable"/>.</summary>
    Table = 3,
}

/// <summary>
/// The selectors that nearly all SAs have, a few prefixes and nothing said of protocols and ports, in one cache line beside what a packet
/// touches anyway.
/// </summary>
/// <remarks>
/// <code>
/// IPv4   remote: 4 x first | 4 x last - first | local: 4 x first | 4 x last - first      unused places repeat the first range
/// IPv6   remote: first, last                  | local: first, last
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
internal unsafe struct SelectorLine
{
    public const int SizeInBytes = 64;

    /// <summary>Ranges of IPv4 addresses for one end.</summary>
    public const int IPv4Ranges = 4;

    /// <summary>For <see cref="SelectorKind.Table"/>, in the same place.</summary>
    [FieldOffset(0)] public SelectorTable* Table;

    [FieldOffset(0)] private Vector128<uint> _remoteFirsts;
    [FieldOffset(16)] private Vector128<uint> _remoteSpans;
    [FieldOffset(32)] private Vector128<uint> _localFirsts;
    [FieldOffset(48)] private Vector128<uint> _localSpans;

    [FieldOffset(0)] private UInt128 _remoteFirst;
    [FieldOffset(16)] private UInt128 _remoteLast;
    [FieldOffset(32)] private UInt128 _localFirst;
    [FieldOffset(48)] private UInt128 _localLast;

    /// <summary>How these selectors can be compared.</summary>
    public static SelectorKind KindOf(IReadOnlyList<EspSelector> remote, IReadOnlyList<EspSelector> local)
    {
        if (IsEverything(remote) && IsEverything(local))
            return SelectorKind.Any;
        if (remote.Count is > 0 and <= IPv4Ranges && local.Count is > 0 and <= IPv4Ranges
            && remote.Concat(local).All(selector => selector is { IsAddressOnly: true, IsIPv6: false }))
        {
            return SelectorKind.IPv4;
        }
        return remote.Count == 1 && local.Count == 1 && remote.Concat(local).All(selector => selector is { IsAddressOnly: true, IsIPv6: true })
            ? SelectorKind.IPv6
            : SelectorKind.Table;
    }

    /// <summary>Makes the line, and the table where it takes one, which the SA then owns.</summary>
    public static SelectorLine From(SelectorKind kind, IReadOnlyList<EspSelector> remote, IReadOnlyList<EspSelector> local)
    {
        SelectorLine line = default;
        switch (kind)
        {
            case SelectorKind.IPv4:
                (line._remoteFirsts, line._remoteSpans) = Ranges(remote);
                (line._localFirsts, line._localSpans) = Ranges(local);
                break;
            case SelectorKind.IPv6:
                line._remoteFirst = EspSelector.NumberOf(remote[0].FirstAddress);
                line._remoteLast = EspSelector.NumberOf(remote[0].LastAddress);
                line._localFirst = EspSelector.NumberOf(local[0].FirstAddress);
                line._localLast = EspSelector.NumberOf(local[0].LastAddress);
                break;
            case SelectorKind.Table:
                line.Table = SelectorTable.Create(remote, local);
                break;
            default:
                break;
        }
        return line;
    }

    /// <summary>Whether a measured packet from the remote end to the local one lies in the IPv4 ranges.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool AdmitsIPv4(byte* packet)
    {
        if (packet[0] >> 4 != 4)
            return false;
        Vector128<uint> source = Vector128.Create(NetworkOrder.From(*(uint*)(packet + 12)));
        Vector128<uint> destination = Vector128.Create(NetworkOrder.From(*(uint*)(packet + 16)));
        // One comparison per range: what lies below its first address wraps around to above its span.
        return Vector128.LessThanOrEqualAny(source - _remoteFirsts, _remoteSpans)
            && Vector128.LessThanOrEqualAny(destination - _localFirsts, _localSpans);
    }

    /// <summary>Whether a measured packet from the remote end to the local one lies in the IPv6 ranges.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public readonly bool AdmitsIPv6(byte* packet)
    {
        if (packet[0] >> 4 != 6)
            return false;
        UInt128 source = InnerFields.Address(packet + 8), destination = InnerFields.Address(packet + 24);
        return source >= _remoteFirst && source <= _remoteLast && destination >= _localFirst && destination <= _localLast;
    }

    /// <summary>Whether an end's selectors leave nothing out: none at all, or all of both families.</summary>
    private static bool IsEverything(IReadOnlyList<EspSelector> selectors) => selectors.Count == 0
        || (selectors.Any(selector => IsFamily(selector, isIPv6: false)) && selectors.Any(selector => IsFamily(selector, isIPv6: true)));

    private static bool IsFamily(EspSelector selector, bool isIPv6) => selector.IsAddressOnly && selector.IsIPv6 == isIPv6
        && EspSelector.NumberOf(selector.FirstAddress) == 0
        && EspSelector.NumberOf(selector.LastAddress) == (isIPv6 ? UInt128.MaxValue : uint.MaxValue);

    private static (Vector128<uint> Firsts, Vector128<uint> Spans) Ranges(IReadOnlyList<EspSelector> selectors)
    {
        uint* firsts = stackalloc uint[IPv4Ranges], spans = stackalloc uint[IPv4Ranges];
        for (int i = 0; i < IPv4Ranges; i++)
        {
            EspSelector selector = selectors[i < selectors.Count ? i : 0];
            firsts[i] = (uint)EspSelector.NumberOf(selector.FirstAddress);
            spans[i] = (uint)EspSelector.NumberOf(selector.LastAddress) - firsts[i];
        }
        return (Vector128.Load(firsts), Vector128.Load(spans));
    }
}
