using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace VpnBroker.Sessions;

/// <summary>Which addresses of one prefix are given out: a bit each, handed out in turn so that a released address rests.</summary>
/// <remarks>Not thread-safe: <see cref="AddressPools"/> is called under the session table's lock.</remarks>
internal sealed class AddressSlots
{
    /// <summary>Addresses of a prefix that are used at most: enough for an lcore, and a bound for the bitmap of an IPv6 prefix.</summary>
    public const int MaxSlots = 1 << 20;

    private readonly ulong[] _taken;
    private readonly UInt128 _base;
    private readonly bool _ipv6;
    private readonly int _count;
    private int _cursor;

    public AddressSlots(IPNetwork prefix)
    {
        _ipv6 = prefix.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
        _base = ToNumber(prefix.BaseAddress);
        int hostBits = (_ipv6 ? 128 : 32) - prefix.PrefixLength;
        _count = hostBits >= BitOperations.Log2(MaxSlots) ? MaxSlots : 1 << hostBits;
        _taken = new ulong[(_count + 63) / 64];
        Free = _count;
    }

    /// <summary>Addresses that are free.</summary>
    public int Free { get; private set; }

    /// <summary>Takes an address out of the pool for good: the network's own, an interface's.</summary>
    public void Reserve(IPAddress address)
    {
        if (IndexOf(address) is { } index && !IsTaken(index))
            Take(index);
    }

    /// <summary>Gives an address out.</summary>
    /// <returns>Null when none is free.</returns>
    public IPAddress? Allocate()
    {
        if (Free == 0)
            return null;
        while (IsTaken(_cursor))
            _cursor = (_cursor + 1) % _count;
        int index = _cursor;
        Take(index);
        _cursor = (index + 1) % _count;
        return ToAddress(_base + (UInt128)index);
    }

    /// <summary>Takes an address back.</summary>
    /// <exception cref="ArgumentException">It was not given out from here.</exception>
    public void Release(IPAddress address)
    {
        if (IndexOf(address) is not { } index || !IsTaken(index))
            throw new ArgumentException($"{address} was not given out from this prefix.", nameof(address));
        _taken[index >> 6] &= ~(1ul << index);
        Free++;
    }

    private bool IsTaken(int index) => (_taken[index >> 6] >> index & 1) != 0;

    private void Take(int index)
    {
        _taken[index >> 6] |= 1ul << index;
        Free--;
    }

    private int? IndexOf(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6 != _ipv6)
            return null;
        UInt128 number = ToNumber(address);
        return number >= _base && number - _base < (UInt128)_count ? (int)(number - _base) : null;
    }

    private static UInt128 ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        int start = address.AddressFamily == AddressFamily.InterNetworkV6 ? 0 : 12;
        address.TryWriteBytes(bytes[start..], out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private IPAddress ToAddress(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(_ipv6 ? bytes : bytes[12..]);
    }
}
