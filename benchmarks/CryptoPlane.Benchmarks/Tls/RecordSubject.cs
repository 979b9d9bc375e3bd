using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Tls;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>
/// Our record layer writing, or reading, one record per operation, in bursts: headers, nonces and descriptors, AEAD, KeyUpdate and
/// content-type checks. What is written lies in one buffer, as for one send; it is cut into records again to be read.
/// </summary>
internal sealed unsafe class RecordSubject : IBenchmarkSubject
{
    private const ulong RecordsOfKey = 1 << 20;

    private readonly RecordWorkload _workload;
    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly AeadBurst _burst;
    private readonly TlsRecordReader _reader;
    private readonly int _burstSize, _wireLength, _plaintextStride;
    private readonly TlsCipherSuite _suite;
    private readonly byte[] _secret;
    private readonly TlsTrafficState* _write, _read;
    private readonly byte* _wire, _plaintexts;
    private long _recordsWritten, _recordsRead, _bytesRead;

    public RecordSubject(RecordWorkload workload, TlsCipherSuite suite, int burstSize)
    {
        _workload = workload;
        _burstSize = burstSize;
        // Records behind a KeyUpdate are added again: the reader asks for some room.
        _burst = new AeadBurst(burstSize * 2);
        _reader = new TlsRecordReader(burstSize);
        _wireLength = workload.Records * (workload.Length + TlsRecordSizes.Overhead);
        _plaintextStride = workload.Length + TlsRecordSizes.Overhead;
        _wire = Allocate(_wireLength);
        _plaintexts = Allocate(_plaintextStride * burstSize);
        _write = (TlsTrafficState*)Allocate(TlsTrafficState.SizeInBytes);
        _read = (TlsTrafficState*)Allocate(TlsTrafficState.SizeInBytes);
        _suite = suite;
        _secret = new byte[suite == TlsCipherSuite.Aes256GcmSha384 ? 48 : 32];
        new Random(1).NextBytes(_secret);
        InstallKeys();
    }

    public string Name => $"CryptoPlane, bursts of {_burstSize}";

    public int OperationsPerRun => _workload.Records;

    public bool Prepare()
    {
        if (_workload.Writes)
            ReadAll();
        // All that was written is read. RFC 8446 §5.5 bounds what a key protects, which a fast CPU reaches in a second.
        if (_write->Records >= RecordsOfKey)
        {
            ReleaseKeys();
            InstallKeys();
        }
        if (!_workload.Writes)
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
        if (_recordsRead != _recordsWritten || _recordsRead == 0 || _bytesRead != _recordsRead * _workload.Length)
            throw new InvalidOperationException($"Records: {_recordsWritten} were written, {_recordsRead} with {_bytesRead} bytes read.");
    }

    public void Dispose()
    {
        ReleaseKeys();
        foreach (nint block in (nint[])[(nint)_wire, (nint)_plaintexts, (nint)_write, (nint)_read])
            NativeMemory.AlignedFree((void*)block);
        _reader.Dispose();
        _burst.Dispose();
        _engine.Dispose();
    }

    private void InstallKeys()
    {
        TlsTrafficState.Initialize(_write, _suite, _secret, TlsTrafficUse.Write);
        TlsTrafficState.Initialize(_read, _suite, _secret, TlsTrafficUse.ReadAsServer);
    }

    private void ReleaseKeys()
    {
        _read->Release(_engine);
        _write->Release(_engine);
    }

    private void WriteAll()
    {
        int written = 0;
        for (int record = 0; record < _workload.Records; record += _burstSize)
        {
            for (int i = 0; i < _burstSize; i++)
            {
                TlsRecordStatus status = TlsRecordWriter.TryAdd(
                    _burst, _write, TlsContentType.ApplicationData, _workload.Content(record + i), _workload.Length,
                    _wire + written, _wireLength - written, out int recordLength);
                if (status != TlsRecordStatus.Added)
                    throw new InvalidOperationException($"A record was not written: {status}.");
                written += recordLength;
            }
            _burst.Run(_engine);
            _recordsWritten += _burst.Count;
            _burst.Clear();
        }
    }

    private void ReadAll()
    {
        int consumed = 0;
        while (_recordsRead < _recordsWritten && consumed < _wireLength)
        {
            for (int i = 0; i < _burstSize; i++)
            {
                TlsRecordHeader.TryParse(new ReadOnlySpan<byte>(_wire + consumed, _wireLength - consumed), isProtected: true, out TlsRecordHeader header);
                _reader.TryAdd(_burst, _read, _wire + consumed, header.RecordLength, _plaintexts + i * _plaintextStride, (ulong)i);
                consumed += header.RecordLength;
            }
            _burst.Run(_engine);
            for (int first = _burst.Count; _reader.Complete(_burst, _engine); first = _burst.Count)
                _burst.Run(_engine, first);
            for (int i = 0; i < _reader.Count; i++)
            {
                ref readonly TlsOpenedRecord record = ref _reader[i];
                if (record.Status == TlsOpenStatus.Opened)
                {
                    _recordsRead++;
                    _bytesRead += record.Length;
                }
            }
            _reader.Clear();
            _burst.Clear();
        }
    }

    private static byte* Allocate(int length)
    {
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)length, 64);
        NativeMemory.Clear(memory, (nuint)length);
        return memory;
    }
}
