using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>Ours or a peer at work on a workload, a slice of its operations per run.</summary>
/// <param name="name">Who it is, for tables.</param>
/// <param name="workload">The operations.</param>
/// <param name="slice">Operations of a run; divides those of the workload.</param>
internal abstract class AeadSubject(string name, AeadWorkload workload, int slice) : IBenchmarkSubject
{
    private int _next;

    public string Name => name;

    /// <summary>The name of this subject's figures in the JSON report; null for a peer.</summary>
    public virtual string? CaseName => null;

    public int OperationsPerRun => slice;

    protected AeadWorkload Workload => workload;

    // The same operations serve every run.
    public bool Prepare() => false;

    public void Run()
    {
        Process(_next, slice);
        _next += slice;
        if (_next == workload.Operations)
            _next = 0;
    }

    /// <summary>Carries out every operation once, from the first on, for a check of what comes out.</summary>
    public virtual void RunAll()
    {
        for (_next = 0; _next < workload.Operations; _next += slice)
            Process(_next, slice);
        _next = 0;
    }

    public abstract void Verify();

    public abstract void Dispose();

    protected abstract void Process(int first, int count);
}
