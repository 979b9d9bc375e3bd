namespace CryptoPlane.Dpdk;

/// <summary>How <see cref="EthPort.Open"/> configures a port.</summary>
public sealed class EthPortOptions
{
    /// <summary>Descriptors of every receive queue; 0 for what the driver prefers. As many packets of the lcore's pool lie there.</summary>
    public int ReceiveDescriptors { get; init; }

    /// <summary>Descriptors of every transmit queue; 0 for what the driver prefers.</summary>
    public int TransmitDescriptors { get; init; }

    /// <summary>Bytes behind the Ethernet header; 0 leaves the port's own.</summary>
    public int Mtu { get; init; }

    /// <summary>Whether to receive what is addressed to others as well.</summary>
    public bool Promiscuous { get; init; }

    /// <summary>Whether to receive all multicast groups: neighbour discovery over IPv6 needs some.</summary>
    public bool AllMulticast { get; init; } = true;

    internal void Validate(EthPortInfo port, int queues)
    {
        if (queues < 1 || queues > port.MaxQueues)
            throw new ArgumentOutOfRangeException(nameof(queues), queues, $"{port.Name} has 1 to {port.MaxQueues} queues: one per lcore, each with its pool.");
        if (ReceiveDescriptors is < 0 or > ushort.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(ReceiveDescriptors), ReceiveDescriptors, "A queue has up to 65,535 descriptors; 0 leaves it to the driver.");
        if (TransmitDescriptors is < 0 or > ushort.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(TransmitDescriptors), TransmitDescriptors, "A queue has up to 65,535 descriptors; 0 leaves it to the driver.");
        if (Mtu != 0 && (Mtu < Math.Max(port.MinMtu, 68) || Mtu > port.MaxMtu))
            throw new ArgumentOutOfRangeException(nameof(Mtu), Mtu, $"The MTU of {port.Name} is between {Math.Max(port.MinMtu, 68)} and {port.MaxMtu}.");
    }
}
