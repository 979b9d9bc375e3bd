using System.Runtime.InteropServices;
using CryptoPlane.Dpdk.Interop;
using CryptoPlane.Lcores;

namespace CryptoPlane.Dpdk;

/// <summary>
/// DPDK's environment abstraction layer: one per process, initialised once, and there until the process ends.
/// </summary>
/// <remarks>One control thread at a time. The calling thread's CPU affinity stays as it is.</remarks>
public static unsafe class Eal
{
    private static bool s_tried;

    /// <summary>Whether <see cref="Initialize"/> has succeeded.</summary>
    public static bool IsInitialized { get; private set; }

    /// <summary>DPDK's version, such as <c>DPDK 22.11.11</c>.</summary>
    /// <exception cref="DpdkException">The native library is missing or of another version.</exception>
    public static string Version
    {
        get
        {
            CheckLibrary();
            return Marshal.PtrToStringUTF8((nint)NativeDpdk.DpdkVersion())!;
        }
    }

    /// <summary>Initialises the EAL.</summary>
    /// <exception cref="InvalidOperationException">It has been tried before in this process: DPDK has one try.</exception>
    /// <exception cref="DpdkException">DPDK is missing, there are too few huge pages, or the EAL refuses its arguments.</exception>
    public static void Initialize(EalOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (IsInitialized)
            throw new InvalidOperationException("The EAL is initialised already: once per process, with all devices that the process uses.");
        if (s_tried)
            throw new InvalidOperationException("The EAL failed before in this process, and DPDK has one try: start the process anew.");
        CheckLibrary();
        // Some of these make the EAL abort the process, so they are checked before it sees them.
        Validate(options, HugePages.Read());
        if (options.Memory == EalMemory.HugePageFiles)
            HugePageDirectory.Check(options.HugePageDirectory, HugePageDirectory.Mounts());
        StaleSockets.Remove(options.VirtualDevices);
        s_tried = true;
        int error = Start(options.ToArguments(CpuSet.OfCurrentThread()[0]));
        // The EAL has its files open. Without names they cannot outlive the process, however it ends.
        if (options.Memory == EalMemory.HugePageFiles)
            HugePageDirectory.Unlink(options, Marshal.PtrToStringUTF8((nint)NativeDpdk.RuntimeDirectory())!);
        if (error != 0)
            throw new DpdkException(Explain(error, options), error);
        IsInitialized = true;
    }

    internal static void ThrowIfNotInitialized()
    {
        if (!IsInitialized)
            throw new InvalidOperationException("Call Eal.Initialize first.");
    }

    /// <summary>Refuses what the EAL cannot do, with what to do about it.</summary>
    internal static void Validate(EalOptions options, HugePages pages)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MemoryMegabytes, 16, nameof(options));
        if (options.LogLevel is < 1 or > 8)
            throw new ArgumentOutOfRangeException(nameof(options), options.LogLevel, "EalOptions.LogLevel is between 1 and 8.");
        foreach (string device in options.VirtualDevices.Concat(options.PciDevices))
        {
            if (string.IsNullOrWhiteSpace(device) || device.StartsWith('-') || device.Any(char.IsWhiteSpace))
                throw new ArgumentException($"'{device}' is not a device: names look like crypto_aesni_gcm0 or 0000:3d:01.0, with arguments behind commas.", nameof(options));
        }
        string? twice = options.VirtualDevices.Select(device => device.Split(',')[0]).GroupBy(name => name).FirstOrDefault(names => names.Count() > 1)?.Key;
        if (twice != null)
            throw new ArgumentException($"The virtual device '{twice}' is there twice: number them, as in crypto_aesni_gcm0 and crypto_aesni_gcm1.", nameof(options));
        if (options.Memory == EalMemory.NoHugePages && options.PciDevices.Count > 0)
            throw new ArgumentException("Hardware reaches memory on huge pages only: set EalOptions.Memory to HugePages.", nameof(options));
        if (options.Memory == EalMemory.NoHugePages && options.SingleFileSegments)
            throw new ArgumentException("EalOptions.SingleFileSegments is about huge pages: ordinary ones are one file anyway.", nameof(options));
        if (string.IsNullOrWhiteSpace(options.FilePrefix) || options.FilePrefix.Any(c => char.IsWhiteSpace(c) || c is '/' or '%'))
            throw new ArgumentException($"'{options.FilePrefix}' is not a prefix of file names.", nameof(options));
        if (options.Memory != EalMemory.NoHugePages && pages.FreeMegabytes < options.MemoryMegabytes)
        {
            string advice = pages.LimitedByCgroup
                ? "the cgroup of this process allows no more of the machine's: raise its limit (hugepages-2Mi in Kubernetes)"
                : $"'sysctl -w vm.nr_hugepages={(options.MemoryMegabytes / 2) + 8}' as root reserves them";
            throw new DpdkException(
                $"The EAL is to have {options.MemoryMegabytes} MB of huge pages, and {pages.FreeMegabytes} MB are free: {advice}, or set EalOptions.Memory to NoHugePages (software devices only).");
        }
    }

    private static string Explain(int error, EalOptions options)
    {
        const int eacces = 13, enodev = 19, enomem = 12, eperm = 1;
        string advice = -error switch
        {
            eperm or eacces => "no permission: PCI devices need root, or their files in /dev/vfio made accessible to this user (in Kubernetes the device plugin does it)",
            enomem when options.Memory != EalMemory.NoHugePages => "no memory: reserve more huge pages (sysctl vm.nr_hugepages), on the NUMA node of the main CPU",
            enomem => "no memory: lower EalOptions.MemoryMegabytes",
            enodev => "a device has a name that no driver knows: install the drivers (Debian: dpdk), and look at the EAL's messages on standard error",
            _ => "see its messages on standard error; EalOptions.LogLevel = 8 shows all of them",
        };
        return $"DPDK's EAL did not start with '{string.Join(' ', options.ToArguments(0).Skip(1))}': {advice}";
    }

    private static int Start(List<string> arguments)
    {
        // The EAL keeps the strings and reorders the array, so both stay allocated.
        byte** argv = (byte**)NativeMemory.AllocZeroed((nuint)arguments.Count + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < arguments.Count; i++)
            argv[i] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        return NativeDpdk.EalInit(arguments.Count, argv);
    }

    private static void CheckLibrary()
    {
        uint abi;
        try
        {
            abi = NativeDpdk.GetAbi();
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new DpdkException(
                "libcryptoplane_dpdk.so cannot be loaded: install DPDK (Debian: libdpdk-dev, and dpdk for its drivers) and build again, or run 'eng/build-native.sh'.", e);
        }
        if (abi != NativeDpdk.Abi)
            throw new DpdkException($"libcryptoplane_dpdk.so has interface {abi}, and this CryptoPlane.Dpdk needs {NativeDpdk.Abi}: build it again.");
    }
}
