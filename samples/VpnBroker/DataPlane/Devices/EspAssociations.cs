using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Esp;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Supervision;

namespace VpnBroker.DataPlane.Devices;

/// <summary>An outbound SA: where it lives, and its address for those who read its position.</summary>
/// <param name="Lcore">The lcore that owns it.</param>
/// <param name="Tunnel">Its tunnel's number.</param>
/// <param name="Address">The <see cref="OutboundSa"/>.</param>
internal readonly unsafe record struct OutboundPlace(int Lcore, int Tunnel, nint Address)
{
    /// <summary>The next sequence number. Any thread, while the SA exists: its lcore alone writes the number, aligned and so read whole.</summary>
    public ulong NextSequence => ((OutboundSa*)Address)->Sequence + 1;
}

/// <summary>Makes the SAs of the configuration and gives them to their lcores, before these start.</summary>
internal static unsafe class EspAssociations
{
    /// <summary>Fills the lcores' tables.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="ranges">What each outbound SA may use at first, in the order of <see cref="EspSaOrder"/>.</param>
    /// <param name="units">The lcores.</param>
    /// <param name="carrierOf">What carries a tunnel, the same on every lcore.</param>
    /// <returns>The outbound SAs, in the order of <see cref="EspSaOrder"/>.</returns>
    /// <exception cref="ArgumentException">There is not one range per outbound SA.</exception>
    public static OutboundPlace[] Install(
        BrokerConfig config, IReadOnlyList<SequenceRange> ranges, IReadOnlyList<LcoreUnit> units, Func<EspTunnelConfig, EspCarrier> carrierOf)
    {
        IReadOnlyList<OutboundSaRef> order = EspSaOrder.Of(config);
        if (order.Count != ranges.Count)
            throw new ArgumentException($"There are {order.Count} outbound SAs and {ranges.Count} ranges of sequence numbers: give one for each.", nameof(ranges));
        var places = new OutboundPlace[order.Count];
        var numbers = new Dictionary<EspTunnelConfig, int>(ReferenceEqualityComparer.Instance);
        foreach (EspTunnelConfig tunnel in config.Esp?.Tunnels ?? [])
            numbers.Add(tunnel, numbers.Count);
        for (int i = 0; i < order.Count; i++)
        {
            (EspTunnelConfig tunnel, EspSaPairConfig pair) = order[i];
            int number = numbers[tunnel];
            LcoreUnit unit = units[pair.Lcore];
            EspPair* entry = unit.Pairs[number];
            EspCarrier carrier = carrierOf(tunnel);
            entry->Outbound = CreateOutbound(pair.Outbound, ranges[i], (ulong)number, tunnel, carrier.OuterHeader, unit.Context.Associations);
            unit.Context.Sad.Add(entry->Outbound);
            entry->Inbound = CreateInbound(pair.Inbound, (ulong)number, unit.Context.Associations);
            if (unit.Context.Sad.Add(entry->Inbound) != SadStatus.Added)
            {
                InboundSa.Free(entry->Inbound, unit.Context.Engine);
                entry->Inbound = null;
                throw new ArgumentException($"ESP tunnel '{tunnel.Name}': lcore {pair.Lcore} cannot take the inbound SPI 0x{pair.Inbound.Spi:x8} twice.", nameof(config));
            }
            entry->Remote = PacketEndpoint.From(tunnel.Remote);
            entry->Port = carrier.Port;
            places[i] = new OutboundPlace(pair.Lcore, number, (nint)entry->Outbound);
        }
        return places;
    }

    private static OutboundSa* CreateOutbound(
        EspSaConfig sa, SequenceRange range, ulong number, EspTunnelConfig tunnel, EspOuterHeader outerHeader, SaArena arena)
    {
        Span<byte> material = stackalloc byte[32 + EspKey.SaltSize];
        material = WriteMaterial(sa.Key, material);
        try
        {
            return OutboundSa.Create(
                new OutboundSaParameters
                {
                    Spi = sa.Spi,
                    Algorithm = AlgorithmOf(sa.Key),
                    ExtendedSequenceNumbers = sa.Esn,
                    FirstSequence = range.First,
                    // The contract's limit is the first number that is not reserved, the SA's the last that is.
                    SequenceLimit = range.Limit - 1,
                    UserData = number,
                    OuterHeader = outerHeader,
                    Source = tunnel.Local.Address,
                    Destination = tunnel.Remote.Address,
                    SourcePort = (ushort)tunnel.Local.Port,
                    DestinationPort = (ushort)tunnel.Remote.Port,
                },
                material,
                arena);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
        }
    }

    private static InboundSa* CreateInbound(EspSaConfig sa, ulong tunnel, SaArena arena)
    {
        Span<byte> material = stackalloc byte[32 + EspKey.SaltSize];
        material = WriteMaterial(sa.Key, material);
        try
        {
            return InboundSa.Create(
                new InboundSaParameters
                {
                    Spi = sa.Spi,
                    Algorithm = AlgorithmOf(sa.Key),
                    ExtendedSequenceNumbers = sa.Esn,
                    ReplayWindow = sa.ReplayWindow,
                    UserData = tunnel,
                },
                material,
                arena);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
        }
    }

    private static Span<byte> WriteMaterial(EspKey key, Span<byte> material)
    {
        key.Key.CopyTo(material);
        key.Salt.CopyTo(material[key.Key.Length..]);
        return material[..(key.Key.Length + EspKey.SaltSize)];
    }

    private static AeadAlgorithm AlgorithmOf(EspKey key) => key.Key.Length == 16 ? AeadAlgorithm.Aes128Gcm : AeadAlgorithm.Aes256Gcm;
}
