using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Policy;

/// <summary>Values from one to another, both included, in one space: addresses of both families, or ports.</summary>
internal readonly record struct PolicyRange(UInt128 First, UInt128 Last);

/// <summary>
/// Turns conditions into sorted ranges that neither overlap nor touch; null for a condition that is empty, which everything meets. Control threads.
/// </summary>
internal static class PolicyRanges
{
    /// <summary>
    /// The ranges of prefixes of both families, IPv4 first: <c>Family</c> is 4 or 6. An IPv6 prefix never stands for IPv4 addresses, mapped ones included.
    /// </summary>
    public static IReadOnlyList<(int Family, PolicyRange Range)>? OfPrefixes(IReadOnlyList<IPNetwork> prefixes) => prefixes.Count == 0 ? null :
    [
        .. Merge(prefixes.Where(prefix => prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork).Select(RangeOf)).Select(range => (4, range)),
        .. Merge(prefixes.Where(prefix => prefix.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6).Select(RangeOf)).Select(range => (6, range)),
    ];

    /// <summary>The ranges of one family's prefixes.</summary>
    public static IReadOnlyList<PolicyRange>? OfPrefixes(IReadOnlyList<IPNetwork> prefixes, int family) =>
        OfPrefixes(prefixes) is { } ranges ? [.. ranges.Where(entry => entry.Family == family).Select(entry => entry.Range)] : null;

    /// <summary>The ranges of ports.</summary>
    public static IReadOnlyList<PolicyRange>? OfPorts(IReadOnlyList<PolicyPortRange> ports) =>
        ports.Count == 0 ? null : Merge(ports.Select(range => new PolicyRange(range.First, range.Last)));

    /// <summary>Whether all that the second condition is met by meets the first.</summary>
    public static bool Contain(IReadOnlyList<(int Family, PolicyRange Range)>? outer, IReadOnlyList<(int Family, PolicyRange Range)>? inner) =>
        outer == null || (inner != null && inner.All(part => outer.Any(whole => whole.Family == part.Family && Contains(whole.Range, part.Range))));

    /// <inheritdoc cref="Contain(IReadOnlyList{ValueTuple{int, PolicyRange}}, IReadOnlyList{ValueTuple{int, PolicyRange}})"/>
    public static bool Contain(IReadOnlyList<PolicyRange>? outer, IReadOnlyList<PolicyRange>? inner) =>
        outer == null || (inner != null && inner.All(part => outer.Any(whole => Contains(whole, part))));

    private static bool Contains(PolicyRange outer, PolicyRange inner) => outer.First <= inner.First && inner.Last <= outer.Last;

    private static PolicyRange RangeOf(IPNetwork prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        prefix.BaseAddress.TryWriteBytes(bytes, out int size);
        UInt128 first = size == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
        int hostBits = (size * 8) - prefix.PrefixLength;
        UInt128 hosts = hostBits == 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1;
        return new PolicyRange(first, first | hosts);
    }

    private static List<PolicyRange> Merge(IEnumerable<PolicyRange> ranges)
    {
        var merged = new List<PolicyRange>();
        foreach (PolicyRange range in ranges.OrderBy(range => range.First))
        {
            if (merged.Count != 0 && (merged[^1].Last == UInt128.MaxValue || range.First <= merged[^1].Last + 1))
                merged[^1] = new PolicyRange(merged[^1].First, UInt128.Max(merged[^1].Last, range.Last));
            else
                merged.Add(range);
        }
        return merged;
    }
}
