using System.Net.NetworkInformation;

namespace CryptoPlane.IO;

/// <summary>How a TAP device is made. Immutable.</summary>
public sealed record TapOptions
{
    /// <summary>The interface's name, up to 15 characters; "%d" in it is replaced by a number, and empty means "tap%d".</summary>
    public string Name { get; init; } = "";

    /// <summary>Queues, one for each lcore that reads and writes the device. More than one makes it a multi-queue device.</summary>
    public int Queues { get; init; } = 1;

    /// <summary>
    /// The Ethernet address of the kernel's side: what frames into the kernel are addressed to. Null lets the kernel choose one.
    /// </summary>
    public PhysicalAddress? Mac { get; init; }

    /// <summary>The interface's MTU in bytes, without the Ethernet header; IPv6 needs 1,280.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>Frames that wait in the kernel until they are read.</summary>
    public int TransmitQueueLength { get; init; } = 1000;
}
