using System.Globalization;
using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Unprivileged;

/// <summary>Huge pages for the tests: those that are free, or as many more as they need until this process ends.</summary>
internal static class HugePageReserve
{
    /// <summary>What one test takes at most.</summary>
    public const int Megabytes = 64;

    private const string Control = "/proc/sys/vm/nr_hugepages";

    private static readonly Lazy<long> s_free = new(Provide);

    /// <summary>Skips the test where there are no huge pages, and the kernel gives none.</summary>
    public static void Require() =>
        Requirement.That(s_free.Value >= Megabytes, $"{Megabytes} MB of huge pages are not free, {s_free.Value} MB are: 'sysctl -w vm.nr_hugepages=128' as root reserves some");

    private static long Provide()
    {
        if (HugePages.Read().FreeMegabytes < Megabytes && System.Environment.IsPrivilegedProcess)
        {
            string before = File.ReadAllText(Control);
            Write((long.Parse(before, CultureInfo.InvariantCulture) + (Megabytes / 2)).ToString(CultureInfo.InvariantCulture));
            // Pages that somebody else uses by then stay as surplus until they are free.
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Write(before);
        }
        return HugePages.Read().FreeMegabytes;
    }

    private static void Write(string pages)
    {
        try
        {
            File.WriteAllText(Control, pages);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // In a container the file may be read-only even for root; then the tests say what is missing.
        }
    }
}
