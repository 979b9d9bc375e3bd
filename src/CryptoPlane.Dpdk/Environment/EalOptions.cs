namespace CryptoPlane.Dpdk;

/// <summary>Where the EAL's memory comes from.</summary>
public enum EalMemory
{
    /// <summary>Huge pages of this process alone, which vanish with it (<c>--in-memory</c>): what hardware needs and what is fastest.</summary>
    HugePages,

    /// <summary>
    /// Huge pages as files in a directory that has a hugetlbfs (<c>--huge-dir</c>): for a limit by that mount's size, and for kernels that
    /// give no memory file of huge pages. The files have no names any more once the EAL runs.
    /// </summary>
    HugePageFiles,

    /// <summary>Ordinary pages (<c>--no-huge</c>): software devices only, and no privilege needed.</summary>
    NoHugePages,
}

/// <summary>How <see cref="Eal.Initialize"/> sets the EAL up.</summary>
public sealed class EalOptions
{
    /// <summary>Where memory comes from.</summary>
    public EalMemory Memory { get; init; } = EalMemory.HugePages;

    /// <summary>Megabytes of memory for pools, sessions and queues.</summary>
    public int MemoryMegabytes { get; init; } = 256;

    /// <summary>Software devices with their arguments, such as <c>crypto_aesni_gcm0</c> or <c>net_tap0,iface=tap0</c>.</summary>
    public IReadOnlyList<string> VirtualDevices { get; init; } = [];

    /// <summary>
    /// Whether all huge pages of one size are one file (<c>--single-file-segments</c>): a virtio_user port tells its peer of each file,
    /// and vhost-user takes eight.
    /// </summary>
    public bool SingleFileSegments { get; init; }

    /// <summary>For <see cref="EalMemory.HugePageFiles"/>: a directory with a hugetlbfs that this user may write to.</summary>
    public string HugePageDirectory { get; init; } = "/dev/hugepages";

    /// <summary>
    /// For <see cref="EalMemory.HugePageFiles"/>: how its files' names begin (<c>--file-prefix</c>); by default with this process's number,
    /// so that two processes never take one another's.
    /// </summary>
    public string FilePrefix { get; init; } = $"cryptoplane-{Environment.ProcessId}-";

    /// <summary>
    /// Devices by PCI address with their arguments, such as <c>0000:3d:01.0,qat_sym_enq_threshold=32</c>; without any, PCI is not probed.
    /// </summary>
    public IReadOnlyList<string> PciDevices { get; init; } = [];

    /// <summary>The CPU that the EAL takes for its main lcore; by default the first that this process may use. Nothing runs there.</summary>
    public int? MainCpu { get; init; }

    /// <summary>The EAL's own log goes to standard error, from this level on: 1 (emergency) to 8 (debug).</summary>
    public int LogLevel { get; init; } = 4;

    /// <summary>Further arguments, passed on as they are.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];

    /// <summary>The command line that the EAL reads.</summary>
    /// <param name="firstCpu">The CPU for the main lcore where <see cref="MainCpu"/> is not set.</param>
    internal List<string> ToArguments(int firstCpu)
    {
        // lcore 0 on a CPU of our choice: CPU numbers of big machines are above DPDK's highest lcore number.
        List<string> arguments = ["cryptoplane", "--no-telemetry", $"--log-level={LogLevel}", "--lcores", $"0@{MainCpu ?? firstCpu}", "-m", $"{MemoryMegabytes}"];
        arguments.AddRange(Memory switch
        {
            EalMemory.HugePages => ["--in-memory"],
            // Nothing else than the memory is shared; the EAL knows no single files that have been unlinked, so that is done behind it.
            EalMemory.HugePageFiles => ["--no-shconf", "--huge-dir", HugePageDirectory, "--file-prefix", FilePrefix],
            _ => ["--no-huge", "--no-shconf"],
        });
        if (SingleFileSegments)
            arguments.Add("--single-file-segments");
        if (PciDevices.Count == 0)
            arguments.AddRange(["--no-pci", "--iova-mode=va"]);
        foreach (string device in PciDevices)
            arguments.AddRange(["-a", device]);
        foreach (string device in VirtualDevices)
            arguments.AddRange(["--vdev", device]);
        arguments.AddRange(ExtraArguments);
        return arguments;
    }
}
