using System.Globalization;

namespace VpnBroker.Tests.Hosting;

/// <summary>Looks into the epoll sets of this process, the runtime's own too (proc(5), fdinfo).</summary>
internal static class EpollSets
{
    /// <summary>Whether any of them watches a descriptor.</summary>
    public static bool Watch(int descriptor)
    {
        int sets = 0;
        bool watched = false;
        foreach (string info in Directory.GetFiles("/proc/self/fdinfo"))
        {
            string text;
            try
            {
                text = File.ReadAllText(info);
            }
            catch (IOException)
            {
                // The descriptor was closed meanwhile.
                continue;
            }
            string[] lines = [.. text.Split('\n').Where(line => line.StartsWith("tfd:", StringComparison.Ordinal))];
            sets += lines.Length != 0 ? 1 : 0;
            watched |= lines.Any(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1] == descriptor.ToString(CultureInfo.InvariantCulture));
        }
        Assert.True(sets != 0, "No epoll set was found: the format of fdinfo is not what this looks for.");
        return watched;
    }
}
