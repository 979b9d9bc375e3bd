using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>libssl writing, or reading, one record per operation, through memory BIOs.</summary>
internal sealed unsafe class LibSslRecordSubject : IBenchmarkSubject
{
    private readonly LibSsl _library;
    private readonly RecordWorkload _workload;
    private readonly nint _peer;
    private int _waiting;
    private bool _isRight;

    public LibSslRecordSubject(LibSsl library, RecordWorkload workload, string suite, BenchmarkCredentials credentials)
    {
        _library = library;
        _workload = workload;
        _peer = library.New(suite, credentials, chain: false, tickets: 0);
        _isRight = library.Connect(_peer);
    }

    public string Name => "libssl";

    public int OperationsPerRun => _workload.Records;

    public bool Prepare()
    {
        if (_workload.Writes)
            ReadAll();
        else
            WriteAll();
        return true;
    }

    public void Run()
    {
        if (_workload.Writes)
            WriteAll();
        else
            ReadAll();
    }

    public void Verify()
    {
        ReadAll();
        if (!_isRight)
            throw new InvalidOperationException("libssl has lost records.");
    }

    public void Dispose() => _library.Free(_peer);

    private void WriteAll()
    {
        _isRight &= _library.Write(_peer, _workload.Content(0), _workload.Stride, RecordWorkload.Buffers, _workload.Records, _workload.Length);
        _waiting += _workload.Records;
    }

    private void ReadAll()
    {
        _isRight &= _library.Read(_peer, _waiting, _workload.Length);
        _waiting = 0;
    }
}
