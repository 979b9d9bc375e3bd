using System.Net;

namespace CryptoPlane.IO.Ethernet;

/// <summary>Our addresses and what lies on the link, by which the next hop of a packet is chosen.</summary>
internal sealed class NextHops
{
    private readonly (LinkAddress Prefix, LinkAddress Mask)[] _onLink;
    private readonly LinkAddress[] _own;
    private readonly LinkAddress _gateway4, _gateway6;
    private readonly bool _hasGateway4, _hasGateway6, _inside;

    public NextHops(EthernetIpOptions options)
    {
        _inside = options.Role == EthernetRole.Inside;
        _own = [.. options.Addresses.Select(own => LinkAddress.From(own.Address))];
        _onLink = [.. options.Addresses.Select(own =>
        {
            var address = LinkAddress.From(own.Address);
            return (address, LinkAddress.Mask(own.PrefixLength + (address.IsIPv4 ? 96 : 0)));
        })];
        foreach (IPAddress gateway in options.Gateways)
        {
            var address = LinkAddress.From(gateway);
            if (address.IsIPv4)
                (_gateway4, _hasGateway4) = (address, true);
            else
                (_gateway6, _hasGateway6) = (address, true);
        }
    }

    public ReadOnlySpan<LinkAddress> Own => _own;

    public bool IsOwn(in LinkAddress address)
    {
        foreach (ref readonly LinkAddress own in _own.AsSpan())
        {
            if (own.Equals(address))
                return true;
        }
        return false;
    }

    /// <summary>Whether an address is a neighbour's by our prefixes; IPv6 link-local addresses always are.</summary>
    public bool IsOnLink(in LinkAddress address)
    {
        foreach (ref readonly (LinkAddress Prefix, LinkAddress Mask) prefix in _onLink.AsSpan())
        {
            if (address.IsIPv4 == prefix.Prefix.IsIPv4 && address.IsIn(in prefix.Prefix, in prefix.Mask))
                return true;
        }
        return !address.IsIPv4 && address.IsIPv6LinkLocal;
    }

    /// <summary>Whether an address is a gateway's.</summary>
    public bool IsGateway(in LinkAddress address) =>
        (_hasGateway4 && _gateway4.Equals(address)) || (_hasGateway6 && _gateway6.Equals(address));

    /// <summary>Whether an address may be in the neighbour table: another station's on the link, or a gateway.</summary>
    public bool IsNeighbour(in LinkAddress address) =>
        address.IsStation && !IsOwn(in address) && !IsBroadcast(in address)
        && (IsOnLink(in address) || IsGateway(in address));

    /// <summary>The neighbour that a packet goes to.</summary>
    /// <returns>
    /// False if there is none. Groups have none: who forwards packets needs more than an address to forward them to a group. Nor does
    /// what comes from within a tunnel reach link-local addresses (RFC 4291 §2.5.6).
    /// </returns>
    public bool TryFind(in LinkAddress destination, out LinkAddress hop)
    {
        if (!destination.IsStation || (_inside && destination.IsIPv6LinkLocal))
        {
            hop = default;
            return false;
        }
        bool found = IsOnLink(in destination);
        hop = found ? destination : destination.IsIPv4 ? _gateway4 : _gateway6;
        return found || (destination.IsIPv4 ? _hasGateway4 : _hasGateway6);
    }

    /// <summary>The address of ours from which a neighbour is asked: one on the same prefix, else the first of its family.</summary>
    /// <returns>False if we have none of its family.</returns>
    public bool TrySource(in LinkAddress neighbour, out LinkAddress source)
    {
        source = default;
        bool any = false;
        for (int i = 0; i < _own.Length; i++)
        {
            if (_own[i].IsIPv4 != neighbour.IsIPv4)
                continue;
            if (!any)
                source = _own[i];
            any = true;
            if (neighbour.IsIn(in _onLink[i].Prefix, in _onLink[i].Mask))
            {
                source = _own[i];
                return true;
            }
        }
        return any;
    }

    /// <summary>
    /// A prefix's first and last IPv4 address, which are no station's (RFC 1122 §3.2.1.3); a prefix of two addresses has none such (RFC 3021).
    /// </summary>
    private bool IsBroadcast(in LinkAddress address)
    {
        foreach (ref readonly (LinkAddress Prefix, LinkAddress Mask) prefix in _onLink.AsSpan())
        {
            bool isEnd = address.IsIn(in prefix.Prefix, in prefix.Mask) && address.IsFirstOrLastOf(in prefix.Mask);
            if (isEnd && address.IsIPv4 && prefix.Mask.Zeros > 1)
                return true;
        }
        return false;
    }
}
