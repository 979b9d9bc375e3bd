namespace CryptoPlane.Dpdk;

/// <summary>A directory for huge pages as files: checked before the EAL sees it, and rid of the EAL's files behind it.</summary>
internal static class HugePageDirectory
{
    /// <summary>The directories that have a hugetlbfs of their own.</summary>
    public static IReadOnlyList<string> Mounts() => MountsOf(File.ReadAllLines("/proc/self/mounts"));

    /// <summary>The directories of a list of mounts (fstab(5)) that have a hugetlbfs.</summary>
    public static IReadOnlyList<string> MountsOf(IEnumerable<string> lines) =>
    [
        .. lines.Select(line => line.Split(' ')).Where(fields => fields.Length > 2 && fields[2] == "hugetlbfs")
            // The kernel writes a space in a name as \040.
            .Select(fields => fields[1].Replace("\\040", " ", StringComparison.Ordinal)),
    ];

    /// <summary>Refuses a directory in which the EAL could not make its files.</summary>
    /// <exception cref="DpdkException">It is missing, has no hugetlbfs, or this user may not write there; the message says what to do.</exception>
    public static void Check(string directory, IReadOnlyList<string> mounts)
    {
        if (!Directory.Exists(directory) || !mounts.Contains(Path.TrimEndingDirectorySeparator(directory)))
        {
            throw new DpdkException(
                $"{directory} is not a directory with a hugetlbfs{(mounts.Count == 0 ? "" : $" (these are: {string.Join(", ", mounts)})")}: "
                + $"'mount -t hugetlbfs -o pagesize=2M hugetlbfs {directory}' as root makes it one, in Kubernetes an emptyDir with medium HugePages; "
                + "EalMemory.HugePages needs no directory.");
        }
        string probe = Path.Combine(directory, $".cryptoplane-{Environment.ProcessId}");
        try
        {
            File.Create(probe, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new DpdkException(
                $"This user may not make files in {directory} ({e.Message}): mount it with uid=, gid= and mode=, in Kubernetes set the pod's fsGroup; "
                + "EalMemory.HugePages needs no directory.", e);
        }
    }

    /// <summary>Takes the names away from the EAL's files, which it has open, and its directory of shared things, which is empty.</summary>
    public static void Unlink(EalOptions options, string runtimeDirectory)
    {
        try
        {
            foreach (string file in Directory.GetFiles(options.HugePageDirectory, options.FilePrefix + "map_*"))
                File.Delete(file);
            if (Path.GetFileName(runtimeDirectory) == options.FilePrefix)
                Directory.Delete(runtimeDirectory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is not there any more, or not empty, need not go.
        }
    }
}
