using System.Text.Json;

namespace CryptoPlane.Benchmarks.Measuring;

/// <summary>The figures as a Markdown table on the screen and as a JSON array in a file.</summary>
internal static class BenchmarkReport
{
    public static void Write(IReadOnlyList<BenchmarkResult> results, string? jsonFile)
    {
        Console.WriteLine();
        Console.WriteLine("| case | bytes | ours, ns | peer | peer, ns | ratio |");
        Console.WriteLine("|---|---:|---:|---|---:|---:|");
        foreach (BenchmarkResult row in results)
            Console.WriteLine($"| {row.Case} | {row.Bytes} | {row.OursNanoseconds:F1} | {row.Peer} | {row.PeerNanoseconds:F1} | {row.Ratio:F2} |");
        if (jsonFile != null)
            WriteJson(results, jsonFile);
    }

    /// <summary>The array that other tools read: case, bytes, ours_ns, peer, peer_ns and ratio.</summary>
    public static void WriteJson(IEnumerable<BenchmarkResult> results, string path)
    {
        using FileStream file = File.Create(path);
        using var writer = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        writer.WriteStartArray();
        foreach (BenchmarkResult row in results)
        {
            writer.WriteStartObject();
            writer.WriteString("case", row.Case);
            writer.WriteNumber("bytes", row.Bytes);
            writer.WriteNumber("ours_ns", Math.Round(row.OursNanoseconds, 2));
            writer.WriteString("peer", row.Peer);
            writer.WriteNumber("peer_ns", Math.Round(row.PeerNanoseconds, 2));
            writer.WriteNumber("ratio", Math.Round(row.Ratio, 3));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
