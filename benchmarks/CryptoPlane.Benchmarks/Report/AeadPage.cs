using System.Globalization;
using System.Text;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Aead;
using CryptoPlane.Benchmarks.Report.Charts;

namespace CryptoPlane.Benchmarks.Report;

/// <summary>docs/performance/aead.md and its charts: every figure on it comes from the run that wrote it.</summary>
internal sealed class AeadPage
{
    private const string Native = LineupFactory.Native, NativeSingle = LineupFactory.NativeSingle;
    private const string Managed = LineupFactory.Managed, ManagedSingle = LineupFactory.ManagedSingle;
    private const string IpsecMb = LineupFactory.IpsecMb, Evp = LineupFactory.Evp, Portable = LineupFactory.Portable;

    private readonly StringBuilder _text = new();
    private readonly string _folder;

    private AeadPage(string folder) => _folder = folder;

    public static void Write(IReadOnlyList<AeadTable> tables, string folder, string command)
    {
        Directory.CreateDirectory(folder);
        foreach (string chart in Directory.EnumerateFiles(folder, "aead-*.svg"))
            File.Delete(chart);
        var page = new AeadPage(folder);
        page.AppendHead(command);
        page.AppendExpected(tables);
        foreach (AeadTable table in tables)
            page.AppendTable(table);
        File.WriteAllText(Path.Combine(folder, "aead.md"), page._text.ToString());
    }

    private void AppendHead(string command)
    {
        _text.Append($"""
            # AEAD: how fast, beside whom

            `{command}` wrote this page on {DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}. No figure is typed in by hand: run it on your machine.

            | | |
            |---|---|

            """);
        foreach ((string what, string value) in MachineDescription.Lines().Concat(MachineDescription.AeadLines()))
            _text.Append($"| {what} | {value} |\n");
        _text.Append("""

            ## How to read it

            Times are nanoseconds per operation on one core, with 12 bytes of AAD and a tag of 16: medians of many samples of 0.4 ms (15 at
            least, where an operation takes long). All subjects of a row run in one process by turns, a sample each, beginning with another
            every time, on the same buffers and sizes in the same order; source and destination lie apart. Before anybody is timed, all do
            the row's work once, and their outputs must be equal to the byte. The quartiles are below each table.

            - `native` and `managed` are our backends through `AeadEngine.Run`, as users call it, 32 operations per call if nothing else is
              said; `single` is one operation per call. Columns with a tier's name are that tier through the engine; `direct` is the library's
              `run` without the engine. Ours wipes stack and vector registers once per call.
            - `ipsec-mb` is intel-ipsec-mb's direct API (`IMB_AES128_GCM_ENC` and its like): one call per packet in a loop in C. Its keys are
              expanded beforehand, and opening includes the comparison of the tag, which it leaves to its caller. It is Debian's build.
            - `EVP` is OpenSSL in a loop in C: contexts that are keyed once and get only another nonce per packet.
            - `AesGcm` and `ChaCha20Poly1305` are the framework's classes, one object per key, kept. `BouncyCastle` is its `GcmBlockCipher`, keyed once.
            - Descriptors and nonces are filled beforehand for everybody, and the same nonces come again: what is measured protects nothing.
            - A ratio is the peer's time divided by ours: above 1, ours is faster.

            Not every combination was measured, but every question once: sizes, directions and key lengths at bursts of 32 with one key; bursts
            and keys at 64 and 1,408 bytes. Past 64 keys every operation of a round has another key and another place in memory; each subject
            has keys of its own (at 100,000: about 100 MB each), and packets lie in a pool of 16,384 buffers at most. The framework's classes are left out at
            100,000 keys, where their handles and finalizers would be measured, and BouncyCastle outside of the first table.


            """);
    }

    private void AppendExpected(IReadOnlyList<AeadTable> tables)
    {
        if (PeerLibrary.IpsecMb == null)
            return;
        _text.Append($"""
            ## Against intel-ipsec-mb: expected and measured

            AES-128-GCM, seal, bursts of 32, one key unless said otherwise. The expectations are for a CPU with VAES, VPCLMULQDQ and AVX-512, from
            prototypes on Zen 5; {(MachineDescription.HasWideVaes ? "this machine has these" : "**this machine lacks some of these**, so they are no target for it")}.
            AES-256 is expected within 5 % of the same ratios.

            | case | backend | expected | measured |
            |---|---|---:|---:|

            """);
        foreach ((string what, string subject, double expected, double? measured) in ExpectedRatios.Compare(tables))
            _text.Append(CultureInfo.InvariantCulture, $"| {what} | {subject} | {expected:0.0#} | {(measured == null ? "not in this run" : AeadMarkdown.Ratio(measured))} |\n");
        _text.Append('\n');
    }

    private void AppendTable(AeadTable table)
    {
        AeadSection section = table.Section;
        AeadCase first = section.Cases[0];
        _text.Append($"## {section.Title}\n\n");
        if (section.Kind == SectionKind.Mix)
            _text.Append("`imix` is 7 : 4 : 1 of 64, 576 and 1,408 bytes; `uniformA-B` draws every size from A to B alike. Orders are shuffled, the same for all.\n\n");
        AppendCharts(table);
        _text.Append("ns per operation:\n\n").Append(AeadMarkdown.Figures(table)).Append('\n');
        string peer = first.Algorithm == AeadAlgorithm.ChaCha20Poly1305 ? Evp : IpsecMb;
        if (table.Subjects.Contains(peer))
            _text.Append($"Time of {peer} / ours:\n\n").Append(AeadMarkdown.Ratios(table, peer)).Append('\n');
        _text.Append("<details><summary>Quartiles, as distances from the median</summary>\n\n").Append(AeadMarkdown.Spread(table)).Append("\n</details>\n\n");
    }

    private void AppendCharts(AeadTable table)
    {
        AeadCase first = table.Section.Cases[0];
        string name = $"{first.AlgorithmName}-{first.DirectionName}";
        bool isChaCha = first.Algorithm == AeadAlgorithm.ChaCha20Poly1305;
        string[] ours = isChaCha ? [Native, NativeSingle, Portable] : [Native, NativeSingle, Managed, ManagedSingle];
        switch (table.Section.Kind)
        {
            case SectionKind.Size:
                Append($"aead-{name}-time", AeadCharts.TimeBySize(table, [.. ours, IpsecMb, Evp, FrameworkSubject.NameOf(first.Algorithm), LineupFactory.BouncyCastle]));
                Append($"aead-{name}-ratio", AeadCharts.RatioBySize(table, isChaCha ? Evp : IpsecMb, ours, Expected(first)));
                break;
            case SectionKind.Burst or SectionKind.Keys:
                bool isBurst = table.Section.Kind == SectionKind.Burst;
                foreach (int bytes in table.Rows.Select(row => row.Case.Mix.MeanBytes).Distinct())
                {
                    Append($"aead-{(isBurst ? "bursts" : "keys")}-{bytes}", AeadCharts.TimeBy(table, bytes, work => isBurst ? work.Burst : work.Keys,
                        isBurst ? "operations per burst" : "keys", isBurst ? [Native, Managed, IpsecMb] : [Native, Managed, IpsecMb, Evp]));
                }
                break;
        }
    }

    private static (string Name, (int Bytes, double Ratio)[] Points)[] Expected(AeadCase work) =>
        work is { Algorithm: AeadAlgorithm.Aes128Gcm, Direction: AeadDirection.Seal }
            ? [("expected, native", ExpectedRatios.Native), ("expected, managed", ExpectedRatios.Managed)]
            : [];

    private void Append(string name, LineChart? chart)
    {
        if (chart == null)
            return;
        File.WriteAllText(Path.Combine(_folder, $"{name}.svg"), chart.ToSvg());
        _text.Append($"![{chart.Title}]({name}.svg)\n\n");
    }
}
