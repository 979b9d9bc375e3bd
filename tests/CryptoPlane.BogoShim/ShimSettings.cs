using CryptoPlane.Tls;

namespace CryptoPlane.BogoShim;

/// <summary>What the flags say of one connection. Names are those of the flags.</summary>
internal sealed class ShimSettings
{
    public int Port { get; set; }
    public ulong ShimId { get; set; }
    public bool HasShimId { get; set; }
    public bool IPv6 { get; set; }
    public bool IsServer { get; set; }
    public bool AsksForHandshaker { get; set; }
    public int ResumeCount { get; set; }
    public int ResumptionDelay { get; set; }

    /// <summary>Gives the engine its input byte by byte, and takes its output so.</summary>
    public bool Async { get; set; }

    /// <summary>What is shown where none of <see cref="Credentials"/> fits; without files there is none.</summary>
    public ShimCredential DefaultCredential { get; } = new();

    /// <summary>The preferred first.</summary>
    public List<ShimCredential> Credentials { get; } = [];

    /// <summary>The one that flags are about: the newest.</summary>
    public ShimCredential Credential => Credentials.Count == 0 ? DefaultCredential : Credentials[^1];

    public string? TrustCert { get; set; }
    public bool VerifyFail { get; set; }

    /// <summary>A server that asks its clients for certificates.</summary>
    public bool VerifyPeer { get; set; }

    /// <summary>A server that refuses clients without one.</summary>
    public bool RequireClientCertificate { get; set; }

    /// <summary>The names of authorities that a server's request has, in DER.</summary>
    public IReadOnlyList<byte[]> Authorities { get; set; } = [];

    public string? HostName { get; set; }
    public List<TlsCipherSuite> CipherSuites { get; } = [];
    public List<TlsNamedGroup> Curves { get; } = [];
    public List<TlsSignatureScheme> SigningPrefs { get; } = [];
    public List<TlsSignatureScheme> VerifyPrefs { get; } = [];
    public string? AdvertiseAlpn { get; set; }
    public string? SelectAlpn { get; set; }
    public bool RejectAlpn { get; set; }
    public bool NoTicket { get; set; }

    /// <summary>A client that sends early data: its first data goes early, if it may. A server that takes it.</summary>
    public bool EnableEarlyData { get; set; }

    /// <summary>The type of the message that a client waits for before it writes early data; 0 for none.</summary>
    public int EarlyWriteAfterMessage { get; set; }

    public bool EnableOcspStapling { get; set; }
    public bool DeclinesOcsp { get; set; }
    public byte[]? ExpectOcspResponse { get; set; }
    public bool ExpectAcceptEarlyData { get; set; }
    public bool ExpectRejectEarlyData { get; set; }
    public bool ExpectNoOfferEarlyData { get; set; }
    public bool ExpectTicketSupportsEarlyData { get; set; }
    public string? ExpectEarlyDataReason { get; set; }

    public bool ShimWritesFirst { get; set; }
    public bool ReadWithUnfinishedWrite { get; set; }
    public bool WriteDifferentRecordSizes { get; set; }
    public bool ShimShutsDown { get; set; }
    public bool CheckCloseNotify { get; set; }
    public bool KeyUpdate { get; set; }
    public bool KeyUpdateBeforeRead { get; set; }
    public bool ExtraHandshake { get; set; }
    public int ReadSize { get; set; }
    public int ExportKeyingMaterial { get; set; }
    public string ExportLabel { get; set; } = "";
    public string ExportContext { get; set; } = "";
    public bool ExporterBetweenReads { get; set; }

    public bool ExpectSessionMiss { get; set; }
    public bool ExpectNoSession { get; set; }
    public bool ExpectHelloRetryRequest { get; set; }
    public bool ExpectNoHelloRetryRequest { get; set; }
    public string? ExpectAlpn { get; set; }
    public string? ExpectServerName { get; set; }
    public bool ExpectNoServerName { get; set; }
    public bool ExpectNoPeerCert { get; set; }
    public string? ExpectPeerCertFile { get; set; }
    public TlsNamedGroup ExpectCurve { get; set; }
    public TlsCipherSuite ExpectCipher { get; set; }
    public TlsSignatureScheme ExpectPeerSignature { get; set; }
}
