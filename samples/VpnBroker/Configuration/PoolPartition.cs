using System.Net;
using System.Numerics;

namespace VpnBroker.Configuration;

/// <summary>
/// Cuts an address pool into one prefix per lcore: every inner address has a home lcore, which the address alone tells.
/// </summary>
public static class PoolPartition
{
    /// <summary>Bits that a pool's prefix grows by for <paramref name="lcoreCount"/> lcores.</summary>
    public static int ExtraBits(int lcoreCount) => BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)lcoreCount));

    /// <summary>The prefix of a pool that belongs to one lcore.</summary>
    /// <param name="pool">The pool's prefix.</param>
    /// <param name="lcore">The lcore's index.</param>
    /// <param name="lcoreCount">How many lcores there are.</param>
    /// <exception cref="ArgumentOutOfRangeException">The lcore does not exist, or the pool has too few addresses to be cut.</exception>
    public static IPNetwork PrefixOf(IPNetwork pool, int lcore, int lcoreCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lcore);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lcore, lcoreCount);
        byte[] bytes = pool.BaseAddress.GetAddressBytes();
        int length = pool.PrefixLength + ExtraBits(lcoreCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, bytes.Length * 8, nameof(pool));
        for (int bit = 0; bit < length - pool.PrefixLength; bit++)
        {
            if ((lcore >> bit & 1) == 0)
                continue;
            int position = length - 1 - bit;
            bytes[position >> 3] |= (byte)(0x80 >> (position & 7));
        }
        return new IPNetwork(new IPAddress(bytes), length);
    }

    /// <summary>The home lcore of an address of the pool, or -1 for an address outside or in a part that no lcore has.</summary>
    /// <param name="pool">The pool's prefix.</param>
    /// <param name="address">An inner address.</param>
    /// <param name="lcoreCount">How many lcores there are.</param>
    public static int HomeOf(IPNetwork pool, IPAddress address, int lcoreCount)
    {
        if (!pool.Contains(address))
            return -1;
        byte[] bytes = address.GetAddressBytes();
        int lcore = 0;
        int length = pool.PrefixLength + ExtraBits(lcoreCount);
        for (int position = pool.PrefixLength; position < length; position++)
            lcore = lcore << 1 | (bytes[position >> 3] >> (7 - (position & 7)) & 1);
        return lcore < lcoreCount ? lcore : -1;
    }
}
