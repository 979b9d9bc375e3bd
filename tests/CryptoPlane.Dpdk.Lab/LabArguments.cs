using System.Globalization;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>The command line.</summary>
/// <param name="Command">The first word.</param>
/// <param name="Names">The words behind it that belong to no option.</param>
/// <param name="Eal">How the EAL is to start.</param>
internal sealed record LabArguments(string Command, IReadOnlyList<string> Names, EalOptions Eal)
{
    public static LabArguments Parse(string[] arguments)
    {
        var words = new List<string>();
        var devices = new List<string>();
        EalMemory memory = EalMemory.NoHugePages;
        string directory = "/dev/hugepages";
        bool singleFile = false;
        int megabytes = 64;
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out string? word))
        {
            switch (word)
            {
                case "--memory":
                    memory = rest.Dequeue() switch
                    {
                        "huge" => EalMemory.HugePages,
                        "files" => EalMemory.HugePageFiles,
                        "ordinary" => EalMemory.NoHugePages,
                        string other => throw new ArgumentException($"'{other}' is no memory."),
                    };
                    break;
                case "--directory": directory = rest.Dequeue(); break;
                case "--single-file": singleFile = true; break;
                case "--megabytes": megabytes = int.Parse(rest.Dequeue(), CultureInfo.InvariantCulture); break;
                case "--vdev": devices.Add(rest.Dequeue()); break;
                default: words.Add(word); break;
            }
        }
        return new LabArguments(words[0], words[1..], new EalOptions
        {
            Memory = memory,
            HugePageDirectory = directory,
            SingleFileSegments = singleFile,
            MemoryMegabytes = megabytes,
            VirtualDevices = devices,
        });
    }
}
