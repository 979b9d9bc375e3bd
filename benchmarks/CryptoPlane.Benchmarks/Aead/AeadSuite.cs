using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>Our backends against intel-ipsec-mb, OpenSSL, the framework and BouncyCastle, on the same operations.</summary>
internal static class AeadSuite
{
    public static IReadOnlyList<AeadTable> Run(InterleavedRunner runner, bool quick)
    {
        AeadSection[] sections = AeadSection.All(quick);
        var progress = new ProgressLine(sections.Sum(section => section.Cases.Length));
        var tables = new List<AeadTable>();
        foreach (AeadSection section in sections)
        {
            var rows = new List<AeadRow>();
            foreach (AeadCase work in section.Cases)
            {
                progress.Next(work.ToString());
                rows.Add(Measure(runner, section.Lineup, work));
            }
            tables.Add(new AeadTable(section, rows));
        }
        progress.Finish();
        return tables;
    }

    private static AeadRow Measure(InterleavedRunner runner, Lineup lineup, AeadCase work)
    {
        using var workload = new AeadWorkload(work);
        List<AeadSubject> subjects = LineupFactory.Create(lineup, workload);
        CheckThatAllAgree(subjects, workload);
        IReadOnlyList<Measurement> measured = runner.Measure(subjects);
        AeadRow row = new(work, [.. subjects.Select((subject, i) => new AeadFigure(subject.CaseName, measured[i]))]);
        foreach (AeadSubject subject in subjects)
            subject.Dispose();
        return row;
    }

    /// <summary>Lets everybody do the work once: a subject that leaves something out, or does it wrongly, has no figure.</summary>
    private static void CheckThatAllAgree(List<AeadSubject> subjects, AeadWorkload workload)
    {
        string? expected = null;
        foreach (AeadSubject subject in subjects)
        {
            subject.RunAll();
            subject.Verify();
            string digest = workload.TakeDigest();
            expected ??= digest;
            if (digest != expected)
                throw new InvalidOperationException($"{subject.Name} and {subjects[0].Name} disagree about {workload.Case}.");
        }
    }
}
