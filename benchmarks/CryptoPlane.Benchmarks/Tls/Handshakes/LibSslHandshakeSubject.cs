using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Tls.Handshakes;

/// <summary>The same by libssl, in one call.</summary>
internal sealed class LibSslHandshakeSubject : IBenchmarkSubject
{
    private readonly LibSsl _library;
    private readonly HandshakeCase _case;
    private readonly nint _peer;
    private bool _isRight;

    public LibSslHandshakeSubject(LibSsl library, HandshakeCase what)
    {
        _library = library;
        _case = what;
        _peer = library.New("TLS_AES_128_GCM_SHA256", what.Credentials, what.Chain, what.Tickets);
        _isRight = library.Handshake(_peer, resume: false);
    }

    public string Name => "libssl";

    public int OperationsPerRun => 1;

    public bool Prepare() => false;

    public void Run() => _isRight &= _library.Handshake(_peer, _case.Resume);

    public void Verify()
    {
        if (!_isRight)
            throw new InvalidOperationException($"{_case.Name}: a handshake of libssl did not come to its right end.");
    }

    public void Dispose() => _library.Free(_peer);
}
