using System.Globalization;

namespace CryptoPlane.Dpdk;

/// <summary>What huge pages the machine has, to choose <see cref="EalOptions.Memory"/> by: the EAL has one try.</summary>
/// <remarks>Control threads: it reads files.</remarks>
public static class HugePages
{
    private const string Directory = "/sys/kernel/mm/hugepages";

    /// <summary>Free huge pages of any size, in megabytes.</summary>
    public static long FreeMegabytes() => FreeMegabytes(Directory);

    internal static long FreeMegabytes(string directory)
    {
        if (!System.IO.Directory.Exists(directory))
            return 0;
        long kilobytes = 0;
        foreach (string size in System.IO.Directory.GetDirectories(directory, "hugepages-*kB"))
        {
            string number = Path.GetFileName(size)["hugepages-".Length..^"kB".Length];
            string free = Path.Combine(size, "free_hugepages");
            if (long.TryParse(number, CultureInfo.InvariantCulture, out long page) && File.Exists(free)
                && long.TryParse(File.ReadAllText(free), CultureInfo.InvariantCulture, out long pages))
                kilobytes += page * pages;
        }
        return kilobytes / 1024;
    }
}
