using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Tls.Handshakes;

/// <summary>
/// The same by two SslStreams in one thread. Where the client knows the server's key, SslStream builds a chain all the same before it asks: there
/// is no way to do without.
/// </summary>
internal sealed class SslStreamHandshakeSubject : IBenchmarkSubject
{
    private readonly HandshakeCase _case;
    private readonly SslServerAuthenticationOptions _server;
    private readonly SslClientAuthenticationOptions _client;
    private readonly byte[] _byte = new byte[1], _received = new byte[16];
    private readonly long _wholeSize;
    private bool _isRight = true;
    private long _size;

    public SslStreamHandshakeSubject(HandshakeCase what)
    {
        _case = what;
        // It resumes nothing where a policy chooses suites; OpenSSL's own choice is then AES-256-GCM.
        CipherSuitesPolicy? policy = what.Resume ? null : new CipherSuitesPolicy([TlsCipherSuite.TLS_AES_128_GCM_SHA256]);
        _server = new SslServerAuthenticationOptions
        {
            // Made once, as Kestrel does: its chain is not looked for again.
            ServerCertificateContext = SslStreamCertificateContext.Create(what.Credentials.Certificate, null, offline: true),
            EnabledSslProtocols = SslProtocols.Tls13,
            CipherSuitesPolicy = policy,
            AllowTlsResume = what.Resume,
        };
        byte[] pin = what.Credentials.Pin;
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(what.Credentials.Root);
        _client = new SslClientAuthenticationOptions
        {
            TargetHost = BenchmarkCredentials.ServerName,
            EnabledSslProtocols = SslProtocols.Tls13,
            CipherSuitesPolicy = policy,
            AllowTlsResume = what.Resume,
            CertificateChainPolicy = what.Chain ? trust : null,
            RemoteCertificateValidationCallback = what.Chain
                ? null
                : (_, certificate, _, _) => BenchmarkCredentials.PinOf((X509Certificate2)certificate!).AsSpan().SequenceEqual(pin),
        };
        Connect();
        _wholeSize = _size;
    }

    public string Name => "SslStream";

    public int OperationsPerRun => 1;

    public bool Prepare() => false;

    public void Run() => Connect();

    public void Verify()
    {
        // SslStream does not tell whether it resumed; a server that does sends no certificate.
        if (!_isRight || (_case.Resume && _size > _wholeSize - _case.Credentials.Certificate.RawData.Length))
        {
            throw new InvalidOperationException(
                $"{_case.Name}: a handshake of SslStream did not come to its right end ({_size} bytes, {_wholeSize} at first).");
        }
    }

    public void Dispose()
    {
        // The options are the collector's.
    }

    private void Connect()
    {
        InlineChannel up = new(), down = new();
        using var client = new SslStream(new InlineStreamEnd(down, up));
        using var server = new SslStream(new InlineStreamEnd(up, down));
        Task serving = server.AuthenticateAsServerAsync(_server);
        Task connecting = client.AuthenticateAsClientAsync(_client);
        // Both are complete by now: what waits goes on inline.
        _isRight &= connecting.IsCompletedSuccessfully && serving.IsCompletedSuccessfully;
        connecting.GetAwaiter().GetResult();
        serving.GetAwaiter().GetResult();
        _byte[0]++;
        server.WriteAsync(_byte).AsTask().GetAwaiter().GetResult();
        ValueTask<int> read = client.ReadAsync(_received);
        _isRight &= read.IsCompletedSuccessfully && read.Result == 1 && _received[0] == _byte[0]
            && (_case.Resume || client.NegotiatedCipherSuite == TlsCipherSuite.TLS_AES_128_GCM_SHA256);
        _size = up.Total + down.Total;
    }
}
