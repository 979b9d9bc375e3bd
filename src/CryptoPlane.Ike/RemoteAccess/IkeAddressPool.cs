using System.Buffers.Binary;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Ike.RemoteAccess;

/// <summary>
/// Addresses of one IPv4 and one IPv6 prefix. An address that was given back is the last to be given out again, so that late packets of
/// one user do not find another. One thread.
/// </summary>
public sealed class IkeAddressPool : IIkeAddressSource
{
    /// <summary>Most addresses of a prefix: of a greater one, the first so many are used.</summary>
    public const int MaxAddresses = 1 << 20;

    private readonly Range? _ipv4, _ipv6;

    /// <summary>Makes a pool of which nothing is leased.</summary>
    /// <param name="ipv4">Its prefix; null: no IPv4. The first and the last address are not given out unless it has two or fewer.</param>
    /// <param name="ipv6">Its prefix; null: no IPv6. The first address, which is the routers' (RFC 4291 §2.6.1), is not given out unless it is the only one.</param>
    /// <param name="reserved">Further addresses that are not given out, such as the gateway's own.</param>
    /// <exception cref="ArgumentException">A prefix is of the other family.</exception>
    public IkeAddressPool(IPNetwork? ipv4, IPNetwork? ipv6, params IReadOnlyList<IPAddress> reserved)
    {
        _ipv4 = Range.Create(ipv4, AddressFamily.InterNetwork, reserved);
        _ipv6 = Range.Create(ipv6, AddressFamily.InterNetworkV6, reserved);
    }

    /// <inheritdoc/>
    public bool TryLease(string user, AddressFamily family, IPAddress? wanted, [NotNullWhen(true)] out IPAddress? address)
    {
        address = Of(family)?.Take(wanted);
        return address != null;
    }

    /// <inheritdoc/>
    public void Release(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Of(address.AddressFamily)?.Release(address);
    }

    private Range? Of(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => _ipv4,
        AddressFamily.InterNetworkV6 => _ipv6,
        _ => null,
    };

    /// <summary>The addresses of one prefix.</summary>
    private sealed class Range
    {
        private readonly UInt128 _first;
        private readonly bool _isIPv6;
        private readonly BitArray _taken, _reserved;
        private int _next;

        private Range(UInt128 first, bool isIPv6, int count)
        {
            _first = first;
            _isIPv6 = isIPv6;
            _taken = new BitArray(count);
            _reserved = new BitArray(count);
        }

        public static Range? Create(IPNetwork? prefix, AddressFamily family, IReadOnlyList<IPAddress> reserved)
        {
            if (prefix is not { } network)
                return null;
            if (network.BaseAddress.AddressFamily != family)
                throw new ArgumentException($"{network} is not of the family {family}.", nameof(prefix));
            bool isIPv6 = family == AddressFamily.InterNetworkV6;
            int hostBits = (isIPv6 ? 128 : 32) - network.PrefixLength;
            int count = hostBits >= 20 ? MaxAddresses : 1 << hostBits;
            Range range = new(ToNumber(network.BaseAddress), isIPv6, count);
            if (count > 2 || (isIPv6 && count == 2))
                range._reserved[0] = true;
            if (!isIPv6 && count > 2 && hostBits <= 20)
                range._reserved[count - 1] = true;
            foreach (IPAddress address in reserved)
            {
                if (range.IndexOf(address) is { } index)
                    range._reserved[index] = true;
            }
            range._taken.Or(range._reserved);
            return range;
        }

        public IPAddress? Take(IPAddress? wanted)
        {
            if (wanted != null && IndexOf(wanted) is { } index && !_taken[index])
                return Take(index);
            for (int tried = 0; tried < _taken.Count; tried++)
            {
                index = _next;
                _next = (_next + 1) % _taken.Count;
                if (!_taken[index])
                    return Take(index);
            }
            return null;
        }

        public void Release(IPAddress address)
        {
            if (IndexOf(address) is { } index)
                _taken[index] = _reserved[index];
        }

        private IPAddress Take(int index)
        {
            _taken[index] = true;
            Span<byte> bytes = stackalloc byte[16];
            BinaryPrimitives.WriteUInt128BigEndian(bytes, _first + (uint)index);
            return new IPAddress(_isIPv6 ? bytes : bytes[12..]);
        }

        private int? IndexOf(IPAddress address)
        {
            if ((address.AddressFamily == AddressFamily.InterNetworkV6) != _isIPv6)
                return null;
            UInt128 number = ToNumber(address);
            return number >= _first && number - _first < (uint)_taken.Count ? (int)(number - _first) : null;
        }

        private static UInt128 ToNumber(IPAddress address)
        {
            Span<byte> bytes = stackalloc byte[16];
            address.TryWriteBytes(bytes, out int length);
            return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
        }
    }
}
