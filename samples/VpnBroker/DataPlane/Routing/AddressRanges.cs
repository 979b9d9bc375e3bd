using System.Net;
using CryptoPlane.Esp;
using CryptoPlane.Ike;

namespace VpnBroker.DataPlane.Routing;

/// <summary>Converts ranges of addresses, which traffic selectors are, into prefixes, which routes are. Control paths.</summary>
internal static class AddressRanges
{
    /// <summary>The fewest prefixes that cover a selector's addresses and nothing else: at most 62 of IPv4, 254 of IPv6.</summary>
    public static IReadOnlyList<IPNetwork> PrefixesOf(EspSelector selector) =>
        TrafficSelector.TryCreate(selector.FirstAddress, selector.LastAddress, 0, 0, ushort.MaxValue, out TrafficSelector? range) ? range.ToPrefixes() : [];
}
