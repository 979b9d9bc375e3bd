using System.Net.Security;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>SslStream writing, or reading, one record per operation.</summary>
internal sealed class SslStreamSubject : IBenchmarkSubject
{
    private readonly SslStreamConnection _connection;
    private readonly RecordWorkload _workload;
    private readonly byte[] _received = new byte[32 * 1024];
    private long _bytesRead, _bytesWritten;

    public SslStreamSubject(RecordWorkload workload, System.Net.Security.TlsCipherSuite suite)
    {
        _workload = workload;
        _connection = new SslStreamConnection(suite);
    }

    public string Name => "SslStream";

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
        if (_bytesRead != _bytesWritten || _bytesRead == 0)
            throw new InvalidOperationException($"SslStream: {_bytesWritten} bytes were written and {_bytesRead} read.");
    }

    public void Dispose() => _connection.Dispose();

    private void WriteAll()
    {
        SslStream client = _connection.Client;
        for (int i = 0; i < _workload.Records; i++)
            client.Write(_workload.ContentSpan(i));
        _bytesWritten += (long)_workload.Records * _workload.Length;
    }

    private void ReadAll()
    {
        while (_bytesRead < _bytesWritten)
            _bytesRead += _connection.Server.Read(_received);
    }
}
