namespace CryptoPlane.IO;

/// <summary>How a TUN device is made. Immutable.</summary>
public sealed record TunOptions
{
    /// <summary>The interface's name, up to 15 characters; "%d" in it is replaced by a number, and empty means "tun%d".</summary>
    public string Name { get; init; } = "";

    /// <summary>Queues, one for each lcore that reads and writes the device. More than one makes it a multi-queue device.</summary>
    public int Queues { get; init; } = 1;

    /// <summary>The interface's MTU in bytes.</summary>
    public int Mtu { get; init; } = 1400;

    /// <summary>
    /// Exchange super-packets with the kernel (TSO, USO where the kernel has it, checksums): many packets for one system call.
    /// </summary>
    public bool Offloads { get; init; } = true;

    /// <summary>Packets that wait in the kernel until they are read.</summary>
    public int TransmitQueueLength { get; init; } = 1000;
}
