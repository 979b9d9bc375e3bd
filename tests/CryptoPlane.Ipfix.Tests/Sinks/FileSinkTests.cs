using System.Text.Json;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Sinks;
using CryptoPlane.TestKit;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Sinks;

/// <summary>Files: when the next one begins, what is in each, and disks that fail or stand still.</summary>
public sealed class FileSinkTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private FlowFileOptions Options => new(_directory.File("flows"), "broker") { MaximumSize = 20_000, MaximumAge = 60_000_000_000 };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Each_file_can_be_read_by_itself_and_together_they_have_every_record()
    {
        using var sink = new IpfixFileSink("files", Options, new IpfixSessionOptions { MessageSize = 4000 });
        for (int i = 0; i < 1000; i++)
        {
            sink.Add(Tcp(i), default, At(i));
            sink.Tick(At(i));
        }
        sink.Close(At(1000));

        string[] files = Files("*.ipfix");
        Assert.InRange(files.Length, 5, 20);
        Assert.Equal((files.Length, 1000), (sink.Statistics.Files, sink.Statistics.Records));
        int records = 0;
        foreach (string file in files)
        {
            byte[] bytes = File.ReadAllBytes(file);
            Assert.InRange(bytes.Length, 1000, 30_000);
            var reader = new IpfixReader();
            reader.ReadStream(bytes);
            records += reader.Records.Count(record => record.Template == 256);
            Assert.Single(reader.Records, record => record.Template == 264);
        }
        Assert.Equal(1000, records);
        Assert.Empty(Files("*.part"));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(files[0]));
    }

    [Fact]
    public void A_file_that_is_old_is_completed_and_none_is_made_for_nothing()
    {
        using var sink = new IpfixFileSink("files", Options, new IpfixSessionOptions());
        sink.Tick(At(0));
        sink.Add(Tcp(), default, At(0));
        sink.Tick(At(59_999));
        Eventually.True(() => Files("*.part").Length == 1, "the flushed part");
        Assert.Empty(Files("*.ipfix"));
        sink.Tick(At(60_000));
        Eventually.True(() => sink.Statistics.Files == 1, "the complete file");
        for (int i = 2; i < 10; i++)
            sink.Tick(At(i * 60_000));
        sink.Close(At(600_000));
        Assert.Single(Files("*"));
    }

    [Fact]
    public void Old_files_are_deleted()
    {
        using var sink = new JsonLinesSink("json", Options with { Keep = 3 });
        for (int i = 0; i < 300; i++)
            sink.Add(Tcp(i), default, At(i));
        sink.Close(At(1000));
        Assert.InRange(sink.Statistics.Files, 5, 10);
        Assert.Equal(3, Files("*").Length);
        Assert.Equal(Tcp(299).FlowId.ToString(), Lines().Last().GetProperty("flowId").GetString());
    }

    [Fact]
    public void Lines_are_complete_at_every_end_of_a_file()
    {
        using var sink = new JsonLinesSink("json", Options);
        for (int i = 0; i < 500; i++)
            sink.Add(Tcp(i), default, At(i));
        sink.Close(At(1000));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => Tcp(i).FlowId.ToString()), Lines().Select(line => line.GetProperty("flowId").GetString()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_disk_that_fails_costs_records_and_is_tried_again(bool json)
    {
        // A file in the place of the directory.
        File.WriteAllText(Options.Directory, "");
        var notices = new List<string>();
        using FlowSink sink = json
            ? new JsonLinesSink("files", Options) { Notice = notices.Add }
            : new IpfixFileSink("files", Options, new IpfixSessionOptions()) { Notice = notices.Add };
        long now = 0;
        int added = 0;
        Eventually.True(() =>
        {
            sink.Add(Tcp(), default, At(now += 100));
            sink.Tick(At(now));
            added++;
            return notices.Count == 2;
        }, "two failures");
        Assert.Equal("failing", sink.State);
        Assert.Contains("flows", notices[0]);

        File.Delete(Options.Directory);
        Eventually.True(() =>
        {
            sink.Add(Tcp(), default, At(now += 100));
            sink.Tick(At(now));
            added++;
            return sink.Statistics.Records > 0;
        }, "records in a file");
        sink.Close(At(now));
        FlowSinkStatistics statistics = sink.Statistics;
        Assert.Equal((added, 0), (statistics.Records + statistics.Dropped, statistics.Waiting));
        Assert.Equal(statistics.Dropped * 18, statistics.DroppedPackets);
        Assert.Single(Files(json ? "*.jsonl" : "*.ipfix"));
    }

    [Fact]
    public void A_disk_that_stands_still_costs_records_and_not_time()
    {
        FlowFileOptions options = Options with { Buffer = 1024 * 1024, MaximumSize = 1 << 30 };
        using var disk = new StillDisk(options);
        using var sink = new JsonLinesSink("json", options, disk);
        for (int i = 0; i < 20_000; i++)
            sink.Add(Tcp(i), default, At(1));
        Assert.True(sink.Statistics.Dropped > 5_000, $"{sink.Statistics.Dropped} were dropped.");
        Assert.Equal(20_000, sink.Statistics.Dropped + sink.Statistics.Waiting);
        long dropped = sink.Statistics.Dropped;

        disk.Go.Set();
        Eventually.True(() => Ticked(sink).Waiting == 0, "what waited is written");
        sink.Close(At(5000));
        Assert.Equal((20_000 - dropped, dropped), (sink.Statistics.Records, sink.Statistics.Dropped));
        Assert.Equal(20_000 - dropped, Lines().Count());

        static FlowSinkStatistics Ticked(FlowSink sink)
        {
            sink.Tick(At(2000));
            return sink.Statistics;
        }
    }

    private string[] Files(string pattern) => Directory.Exists(Options.Directory) ? [.. Directory.GetFiles(Options.Directory, pattern).Order(StringComparer.Ordinal)] : [];

    private IEnumerable<JsonElement> Lines() => Files("*.jsonl").SelectMany(File.ReadLines).Select(line => JsonDocument.Parse(line).RootElement);

    /// <summary>A writer whose disk does not answer until it is told to.</summary>
    private sealed class StillDisk(FlowFileOptions options) : FlowFileWriter(options, JsonLinesSink.Ending, "still")
    {
        public ManualResetEventSlim Go { get; } = new();

        protected override FileStream OpenFile(string path)
        {
            Go.Wait();
            return base.OpenFile(path);
        }
    }
}
