using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>Our engine, as users call it.</summary>
internal sealed unsafe class EngineSubject : DescriptorSubject
{
    private readonly string _backend;
    private readonly int _burst;
    private readonly AeadEngine _engine;
    private readonly AeadKey[] _keys;

    /// <param name="name">For tables.</param>
    /// <param name="label">For the case's name in the JSON report.</param>
    /// <param name="workload">The operations.</param>
    /// <param name="backend">Becomes the subject's.</param>
    /// <param name="burst">Operations per call of the engine.</param>
    public EngineSubject(string name, string label, AeadWorkload workload, IAeadBackend backend, int burst)
        : base(name, workload)
    {
        _backend = label;
        _burst = burst;
        _engine = new AeadEngine(backend);
        _keys = [.. workload.Keys.Select(key => AeadKey.Create(workload.Case.Algorithm, key))];
        SetKeys([.. _keys.Select(AddressOf)]);
    }

    public override string? CaseName => Workload.Case.NameOf(_backend, _burst);

    public override void Dispose()
    {
        foreach (AeadKey key in _keys)
            key.Dispose();
        _engine.Dispose();
        base.Dispose();
    }

    protected override void Process(int first, int count)
    {
        AeadOperation* end = Operations + first + count;
        for (AeadOperation* burst = Operations + first; burst < end; burst += _burst)
            _engine.Run(burst, _burst);
    }

    private static nint AddressOf(AeadKey key)
    {
        AeadKeyHandle handle = key.Handle;
        return *(nint*)&handle;
    }
}
