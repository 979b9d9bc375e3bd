using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>What an lcore is given to work with: by default what the CPU and the kernel have.</summary>
internal sealed record LcoreSupplies
{
    /// <summary>The AEAD engine, owned by the lcore from now on; null for the best one of the CPU.</summary>
    public AeadEngine? Engine { get; init; }

    /// <summary>Where packets, received records and sealed ones lie; devices reach some memory only.</summary>
    public IPacketMemory Memory { get; init; } = KernelPacketMemory.Instance;

    /// <summary>Whose blocks packets are, where Ethernet ports of DPDK fill and send them; null for <see cref="Memory"/>.</summary>
    public IPacketBlocks? Blocks { get; init; }

    /// <summary>Receives why the default engine cannot take a faster backend, once per process and reason.</summary>
    public Action<string>? Warn { get; init; }
}
