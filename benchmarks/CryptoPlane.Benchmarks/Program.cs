using CryptoPlane.Benchmarks;
using CryptoPlane.Benchmarks.Aead;
using CryptoPlane.Benchmarks.Devices;
using CryptoPlane.Benchmarks.Esp;
using CryptoPlane.Benchmarks.Flows;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Benchmarks.Report;
using CryptoPlane.Benchmarks.Switch;
using CryptoPlane.Benchmarks.Tls;
using CryptoPlane.Benchmarks.Tls.Handshakes;

if (!BenchmarkOptions.TryParse(args, out BenchmarkOptions? options, out string message))
{
    Console.Error.WriteLine(message);
    return 2;
}
if (options.Help)
{
    Console.WriteLine(BenchmarkOptions.Usage);
    return 0;
}

var runner = new InterleavedRunner(options.Quick);
if (options.Suite == "tls")
{
    IReadOnlyList<BenchmarkResult> records = TlsSuite.Run(options.Quick);
    IReadOnlyList<BenchmarkResult> handshakes = HandshakeSuite.Run(options.Quick);
    Console.WriteLine(TlsPage.Records(records));
    Console.WriteLine(TlsPage.Handshakes(handshakes));
    if (options.JsonFile != null)
        BenchmarkReport.WriteJson(records.Concat(handshakes), options.JsonFile);
    if (options.DocsFolder != null)
        TlsPage.Write(records, handshakes, options.DocsFolder, options.Command ?? Environment.CommandLine);
    return 0;
}
if (options.Suite == "esp")
{
    IReadOnlyList<EspFigure> figures = EspSuite.Run(options.Quick);
    Console.WriteLine(EspTable.Figures(figures));
    if (options.JsonFile != null)
        BenchmarkReport.WriteJson(EspSuite.Results(figures), options.JsonFile);
    if (options.DocsFolder != null)
        EspPage.Write(figures, options.DocsFolder, options.Command ?? Environment.CommandLine);
    return 0;
}
if (options.Suite == "flows")
{
    FlowReport report = FlowSuite.Run(options.Quick);
    Console.WriteLine(report.Text);
    if (options.JsonFile != null)
        BenchmarkReport.WriteJson(report.Results, options.JsonFile);
    if (options.DocsFolder != null)
        FlowPage.Write(report, options.DocsFolder, options.Command ?? Environment.CommandLine);
    return 0;
}
if (options.Suite == "cryptodev")
{
    IReadOnlyList<CryptodevRow> rows = CryptodevSuite.Run(options.Quick);
    Console.WriteLine(CryptodevPage.Figures(rows));
    if (options.JsonFile != null)
        BenchmarkReport.WriteJson(rows.SelectMany(row => row.Results), options.JsonFile);
    if (options.DocsFolder != null)
        CryptodevPage.Write(rows, options.DocsFolder, options.Command ?? Environment.CommandLine);
    return 0;
}

if (options.Suite == "switch")
{
    IReadOnlyList<SwitchFigure> figures = SwitchSuite.Run(options.Quick);
    Console.WriteLine(SwitchTable.Figures(figures));
    Console.WriteLine(SwitchTable.Shares(figures));
    IReadOnlyList<SwitchFlows> flows = SwitchFlows.Run(options.Quick);
    Console.WriteLine(SwitchFlows.Table(flows));
    if (options.JsonFile != null)
        BenchmarkReport.WriteJson(SwitchSuite.Results(figures).Concat(SwitchFlows.Results(flows)), options.JsonFile);
    if (options.DocsFolder != null)
        SwitchPage.Write(figures, flows, options.DocsFolder, options.Command ?? Environment.CommandLine);
    return 0;
}

IReadOnlyList<AeadTable> tables = AeadSuite.Run(runner, options.Quick);
foreach (AeadTable table in tables)
    Console.WriteLine($"## {table.Section.Title}\n\n{AeadMarkdown.Figures(table)}");
if (options.JsonFile != null)
    BenchmarkReport.WriteJson(tables.SelectMany(table => table.Results).DistinctBy(row => (row.Case, row.Bytes, row.Peer)), options.JsonFile);
if (options.DocsFolder != null)
    AeadPage.Write(tables, options.DocsFolder, options.Command ?? Environment.CommandLine);
return 0;
