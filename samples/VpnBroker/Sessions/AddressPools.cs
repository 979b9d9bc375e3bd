using System.Net;
using System.Net.Sockets;
using VpnBroker.Configuration;

namespace VpnBroker.Sessions;

/// <summary>The inner addresses of a session, and the lcore whose prefixes they are from.</summary>
/// <param name="Pool">The pool.</param>
/// <param name="Lcore">The home lcore.</param>
/// <param name="IPv4">The IPv4 address, or null.</param>
/// <param name="IPv6">The IPv6 address, or null.</param>
public sealed record AddressLease(PoolConfig Pool, int Lcore, IPAddress? IPv4, IPAddress? IPv6);

/// <summary>Gives inner addresses out, from the prefixes of the lcore that has the most time left (<see cref="LcoreChoice"/>).</summary>
/// <remarks>Not thread-safe: the session table calls it under its lock.</remarks>
internal sealed class AddressPools
{
    private readonly Dictionary<string, Parts> _pools = new(StringComparer.Ordinal);
    private readonly LcoreChoice _lcores;

    public AddressPools(BrokerConfig config)
    {
        _lcores = new LcoreChoice(config.Lcores.Count);
        foreach (PoolConfig pool in config.Pools)
            _pools.Add(pool.Name, new Parts(pool, config));
    }

    /// <summary>Sessions with addresses of each lcore.</summary>
    public IReadOnlyList<int> LeasesByLcore => _lcores.Sessions;

    /// <summary>Notes what share of its time an lcore works.</summary>
    public void Measure(int lcore, double busy) => _lcores.Measure(lcore, busy);

    /// <summary>Leases the addresses of one session: one of each family that the pool has, both of one lcore.</summary>
    /// <returns>Null when no lcore has a free address in each family.</returns>
    public AddressLease? Lease(string pool)
    {
        Parts parts = _pools[pool];
        int best = _lcores.Take(parts.HasFree);
        if (best < 0)
            return null;
        return new AddressLease(parts.Pool, best, parts.IPv4?[best].Allocate(), parts.IPv6?[best].Allocate());
    }

    /// <summary>Takes a session's addresses back.</summary>
    public void Release(AddressLease lease)
    {
        Parts parts = _pools[lease.Pool.Name];
        if (lease.IPv4 is not null)
            parts.IPv4![lease.Lcore].Release(lease.IPv4);
        if (lease.IPv6 is not null)
            parts.IPv6![lease.Lcore].Release(lease.IPv6);
        _lcores.Release(lease.Lcore);
    }

    /// <summary>A pool's parts, by lcore.</summary>
    private sealed class Parts
    {
        public Parts(PoolConfig pool, BrokerConfig config)
        {
            Pool = pool;
            IPv4 = Cut(pool.IPv4, config);
            IPv6 = Cut(pool.IPv6, config);
        }

        public PoolConfig Pool { get; }

        public AddressSlots[]? IPv4 { get; }

        public AddressSlots[]? IPv6 { get; }

        public bool HasFree(int lcore) => IPv4?[lcore].Free != 0 && IPv6?[lcore].Free != 0;

        private static AddressSlots[]? Cut(IPNetwork? prefix, BrokerConfig config)
        {
            if (prefix is not { } pool)
                return null;
            var parts = new AddressSlots[config.Lcores.Count];
            for (int lcore = 0; lcore < parts.Length; lcore++)
            {
                parts[lcore] = new AddressSlots(PoolPartition.PrefixOf(pool, lcore, parts.Length));
                parts[lcore].Reserve(pool.BaseAddress);
                if (pool.BaseAddress.AddressFamily == AddressFamily.InterNetwork)
                    parts[lcore].Reserve(Broadcast(pool));
                foreach (InterfaceAddress address in config.LocalNetwork?.Addresses ?? [])
                    parts[lcore].Reserve(address.Address);
            }
            return parts;
        }

        private static IPAddress Broadcast(IPNetwork pool)
        {
            byte[] bytes = pool.BaseAddress.GetAddressBytes();
            for (int bit = pool.PrefixLength; bit < 32; bit++)
                bytes[bit >> 3] |= (byte)(0x80 >> (bit & 7));
            return new IPAddress(bytes);
        }
    }
}
