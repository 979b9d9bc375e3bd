using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls;
using CryptoPlane.Tls.Record;

namespace VpnBroker.Tests.Soak;

/// <summary>TLS handshakes in memory, one after the other: each connection of the soak has keys of its own from a full handshake.</summary>
internal sealed unsafe class SoakHandshake : IDisposable
{
    private static readonly TlsCipherSuite[] s_suites = [TlsCipherSuite.Aes128GcmSha256, TlsCipherSuite.Aes256GcmSha384, TlsCipherSuite.ChaCha20Poly1305Sha256];

    private readonly X509Certificate2 _certificate;
    private readonly TlsServerOptions _server;
    private readonly TlsClientOptions[] _clients;
    private readonly byte[] _toServer = new byte[65_536];
    private readonly byte[] _toClient = new byte[65_536];
    private int _toServerCount;
    private int _toClientCount;

    public SoakHandshake()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        _server = new TlsServerOptions(new TlsCredential(_certificate));
        byte[] pin = SHA256.HashData(_certificate.PublicKey.ExportSubjectPublicKeyInfo());
        _clients = [.. s_suites.Select(suite => new TlsClientOptions("localhost") { PinnedKeys = [pin], TrustPinnedKeysAlone = true, CipherSuites = [suite] })];
    }

    /// <summary>Handshakes since the start.</summary>
    public int Count { get; private set; }

    /// <summary>Runs a handshake with one suite after the other, and moves the keys out: [0] reads, [1] writes.</summary>
    public void Run(TlsTrafficState* client, TlsTrafficState* broker)
    {
        using var clientSide = new TlsClient(_clients[Count++ % _clients.Length]);
        using var brokerSide = new TlsServer(_server);
        _toServerCount = _toClientCount = 0;
        TlsStatus clientStatus = TlsStatus.NeedMoreData, brokerStatus = TlsStatus.NeedMoreData;
        for (int step = 0; clientStatus != TlsStatus.Complete || brokerStatus != TlsStatus.Complete || _toServerCount + _toClientCount > 0; step++)
        {
            Assert.True(step < 1000, $"handshake {Count} comes to no end: client {clientStatus} {clientSide.Error}, broker {brokerStatus} {brokerSide.Error}");
            clientStatus = Step(clientSide, _toClient, ref _toClientCount, _toServer, ref _toServerCount);
            brokerStatus = Step(brokerSide, _toServer, ref _toServerCount, _toClient, ref _toClientCount);
        }
        clientSide.DetachTraffic(client, client + 1);
        brokerSide.DetachTraffic(broker, broker + 1);
    }

    public void Dispose() => _certificate.Dispose();

    private static TlsStatus Step(TlsConnection side, byte[] input, ref int inputCount, byte[] output, ref int outputCount)
    {
        TlsStatus status = side.Handshake(input.AsSpan(0, inputCount), output.AsSpan(outputCount), out int consumed, out int written);
        inputCount -= consumed;
        Array.Copy(input, consumed, input, 0, inputCount);
        outputCount += written;
        if (status is TlsStatus.NeedsKeyAgreement or TlsStatus.NeedsSignature or TlsStatus.NeedsCertificateVerification)
            side.PendingWork!.Execute();
        return status;
    }
}
