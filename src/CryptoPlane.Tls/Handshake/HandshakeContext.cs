using System.Net.Security;
using System.Security.Cryptography;
using CryptoPlane.Tls.Handshake.Resumption;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake;

/// <summary>What the states of one connection's handshake work on: the transcript, the messages to send, the record keys, and what was negotiated.</summary>
internal sealed class HandshakeContext(TlsOptions options, RecordProtection records, OutgoingBuffer outgoing, HandshakeJoiner joiner) : IDisposable
{
    /// <summary>RFC 8446 §5: change_cipher_spec is this one byte, in a record that is never protected.</summary>
    private static ReadOnlySpan<byte> ChangeCipherSpec => [1];

    private readonly byte[] _clientRandom = new byte[ClientHello.RandomSize];
    private int _hashed;
    private bool _changeCipherSpecSent;
    private byte[]? _preSharedKey;

    /// <summary>The running hash over the handshake's messages.</summary>
    public TranscriptHash Transcript { get; } = new();

    /// <summary>Messages that were written and not yet sent.</summary>
    public WireWriter Messages { get; } = new(2048);

    /// <summary>What the handshake waits for next.</summary>
    public HandshakeState State { get; private set; } = null!;

    /// <summary>Public-key work that the handshake waits for; null if there is none.</summary>
    public TlsPendingWork? Work { get; set; }

    /// <summary>Whether this side is the client.</summary>
    public bool IsClient { get; set; }

    /// <summary>Whether the first ClientHello was sent or received.</summary>
    public bool IsHelloDone { get; set; }

    /// <summary>The negotiated suite.</summary>
    public TlsCipherSuite CipherSuite { get; set; }

    /// <summary>The negotiated group.</summary>
    public TlsNamedGroup Group { get; set; }

    /// <summary>The scheme of the server's CertificateVerify.</summary>
    public TlsSignatureScheme SignatureScheme { get; set; }

    /// <summary>How the server's certificate was compressed.</summary>
    public TlsCertificateCompression CertificateCompression { get; set; }

    /// <summary>The OCSP response that came with the server's certificate; empty for none.</summary>
    public byte[] OcspResponse { get; set; } = [];

    /// <summary>The negotiated application protocol; the default value for none.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; set; }

    /// <summary>The name that the client asked for; null if it asked for none.</summary>
    public string? ServerName { get; set; }

    /// <summary>Whether a HelloRetryRequest was sent or received.</summary>
    public bool WasRetried { get; set; }

    /// <summary>The peer's certificate, once it is verified. The connection owns it.</summary>
    public RemoteCertificate RemoteCertificate { get; } = new();

    /// <summary>On a server: who the client is, by its certificate, for the tickets that it gets; null if it showed none.</summary>
    public ClientIdentity? Identity { get; set; }

    /// <summary>The verify_data of the client's Finished; empty until it is sent or checked.</summary>
    public byte[] ClientFinished { get; set; } = [];

    /// <summary>Whether the connection resumes another: keys come from a ticket as well, and no certificate is sent.</summary>
    public bool IsResumed { get; private set; }

    /// <summary>Which of the offered pre-shared keys the server took, from 0 on; -1 for none.</summary>
    public int SelectedIdentity { get; private set; } = -1;

    /// <summary>Whether both sides know each other by a ticket's key or one from elsewhere, so that there is neither certificate nor signature.</summary>
    public bool UsesPreSharedKey => SelectedIdentity >= 0;

    /// <summary>The identity of the pre-shared key from elsewhere; empty if there is none.</summary>
    public byte[] PreSharedKeyIdentity { get; private set; } = [];

    /// <summary>On a server: whether the client can use tickets (RFC 8446 §4.2.9).</summary>
    public bool TakesTickets { get; set; }

    /// <summary>On a client that keeps sessions: the keys of tickets that may come.</summary>
    public ResumptionSecret? Resumption { get; set; }

    /// <summary>Where authentication behind the handshake was offered: the handshake's messages, once it is over.</summary>
    public MainTranscript? MainTranscript { get; private set; }

    /// <summary>For keying material of protocols above TLS.</summary>
    public ExporterSecret? Exporter { get; set; }

    /// <summary>What became of early data.</summary>
    public TlsEarlyDataStatus EarlyDataStatus { get; set; }

    /// <summary>Bytes of early data that may still be sent or received.</summary>
    public long EarlyDataRemaining { get; set; }

    /// <summary>On a client: whether early data may be sent now, under the keys for it.</summary>
    public bool IsEarlyDataOpen { get; private set; }

    /// <summary>Keying material out of the ClientHello alone, for protocols that carry early data.</summary>
    public ExporterSecret? EarlyExporter { get; private set; }

    /// <summary>Bytes of rejected early data that may still come and be dropped (RFC 8446 §4.2.10).</summary>
    public int EarlyDataBudget { get; set; }

    /// <summary>Resumes with the key of a ticket.</summary>
    /// <param name="preSharedKey">Copied; <see cref="TakeEarlySecret"/> erases the copy.</param>
    /// <param name="identity">Which of the offered tickets it is.</param>
    public void Resume(ReadOnlySpan<byte> preSharedKey, int identity)
    {
        TakePreSharedKey(preSharedKey, identity);
        IsResumed = true;
    }

    /// <summary>Takes a key from elsewhere.</summary>
    public void TakePreSharedKey(TlsPreSharedKey preSharedKey, int identity)
    {
        TakePreSharedKey(preSharedKey.Key, identity);
        PreSharedKeyIdentity = preSharedKey.Identity.ToArray();
    }

    /// <summary>On a server: takes early data under its keys (RFC 8446 §7.1). The transcript ends with the ClientHello.</summary>
    /// <param name="maxSize">Most bytes.</param>
    public void AcceptEarlyData(int maxSize)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        using TrafficSecret traffic = DeriveEarlyTraffic(CipherSuiteParameters.Of(CipherSuite).Hash, _preSharedKey, Transcript.Snapshot(digest));
        EarlyDataStatus = TlsEarlyDataStatus.Accepted;
        EarlyDataRemaining = maxSize;
        ChangeReadKeys(traffic, TlsTrafficUse.ReadEarlyData);
    }

    /// <summary>On a client: offers early data, and takes the keys for it. <see cref="Messages"/> holds the ClientHello, and it goes out now.</summary>
    public void OfferEarlyData(TlsSession session)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        TlsHash hash = CipherSuiteParameters.Of(session.CipherSuite).Hash;
        // The server may choose another hash for the handshake, and then reject the early data.
        using TrafficSecret traffic = DeriveEarlyTraffic(hash, session.PreSharedKey, Transcript.SnapshotForBinder(hash, Messages.Written, digest));
        SendMessages(isFirstHello: true);
        // RFC 8446 §D.4: "If offering early data, the record is placed immediately after the first ClientHello."
        SendChangeCipherSpec();
        records.ChangeWriteKeys(session.CipherSuite, traffic.Value);
        EarlyDataStatus = TlsEarlyDataStatus.Offered;
        EarlyDataRemaining = session.MaxEarlyData;
        IsEarlyDataOpen = true;
    }

    /// <summary>On a client: the server passes over the early data. What goes out next is in the clear, until there are other keys.</summary>
    public void RejectEarlyData()
    {
        EarlyDataStatus = TlsEarlyDataStatus.Rejected;
        IsEarlyDataOpen = false;
        EarlyExporter?.Dispose();
        EarlyExporter = null;
        records.DropWriteKeys();
    }

    /// <summary>On a client: says that no more early data comes (RFC 8446 §4.5), under its key.</summary>
    public void EndEarlyData()
    {
        IsEarlyDataOpen = false;
        EndOfEarlyDataMessage.Write(Messages);
        SendMessages();
    }

    /// <summary>Begins the key schedule, with the pre-shared key if there is one.</summary>
    public EarlySecret TakeEarlySecret(TlsHash hash)
    {
        if (_preSharedKey == null)
            return EarlySecret.WithoutPreSharedKey(hash);
        EarlySecret secret = EarlySecret.Of(hash, _preSharedKey);
        ErasePreSharedKey();
        return secret;
    }

    /// <summary>Goes to the next state; what the old one owned has moved.</summary>
    public void Enter(HandshakeState next)
    {
        State = next;
        if (!next.IsConnected)
            return;
        // A connection that is up has no further use for them, and there are thousands.
        Transcript.Dispose();
        Messages.Release();
    }

    /// <summary>Goes to a state that waits for work.</summary>
    public void Await(TlsPendingWork work, HandshakeState next)
    {
        Work = work;
        State = next;
    }

    /// <summary>Keeps the client's random for the key log.</summary>
    public void SetClientRandom(ReadOnlySpan<byte> random) => random.CopyTo(_clientRandom);

    /// <summary>Adds what was written to <see cref="Messages"/> since the last call to the transcript.</summary>
    public void HashMessages()
    {
        Transcript.Append(Messages.Written[_hashed..]);
        _hashed = Messages.Length;
    }

    /// <summary>Makes records of <see cref="Messages"/> under the present keys.</summary>
    /// <param name="isFirstHello">Whether they are the client's first, which has a record version of its own (RFC 8446 §5.1).</param>
    public void SendMessages(bool isFirstHello = false)
    {
        if (Messages.Length == 0)
            return;
        HashMessages();
        if (isFirstHello)
            RecordProtection.WritePlain(TlsContentType.Handshake, Messages.Written, outgoing, isFirstHello: true);
        else
            records.Seal(TlsContentType.Handshake, Messages.Written, outgoing);
        Messages.Clear();
        _hashed = 0;
    }

    /// <summary>RFC 8446 §D.4: one unprotected change_cipher_spec, for middleboxes that expect TLS 1.2.</summary>
    public void SendChangeCipherSpec()
    {
        if (_changeCipherSpecSent)
            return;
        _changeCipherSpecSent = true;
        RecordProtection.WritePlain(TlsContentType.ChangeCipherSpec, ChangeCipherSpec, outgoing);
    }

    /// <summary>Sends an alert under the present keys.</summary>
    public void SendAlert(TlsAlert alert)
    {
        // RFC 8446 §D.4: a client's change_cipher_spec goes in front of its first protected record, and the alert may be that.
        if (IsClient && records.IsWriteProtected)
            SendChangeCipherSpec();
        records.SendAlert(alert, outgoing);
    }

    /// <summary>RFC 8446 §5.1: "Handshake messages MUST NOT span key changes": nothing may follow a message that changes keys in its record.</summary>
    public TlsError? CheckKeyChangeBoundary() =>
        joiner.IsEmpty ? null : TlsError.Unexpected("Handshake data follows a message that changes the keys, in one record.");

    /// <summary>Takes new keys for what the peer sends.</summary>
    /// <param name="secret">Gives the keys.</param>
    /// <param name="use">What may come.</param>
    /// <param name="keepTickets">Whether NewSessionTickets are given out, and not skipped.</param>
    public void ChangeReadKeys(TrafficSecret secret, TlsTrafficUse use, bool keepTickets = false) =>
        records.ChangeReadKeys(CipherSuite, secret.Value, use, keepTickets);

    /// <summary>Derives what tickets' keys come from; the transcript ends with the client's Finished.</summary>
    public void KeepTickets(ApplicationKeys application)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        Resumption = application.DeriveResumption(Transcript.Snapshot(digest));
    }

    /// <summary>Keeps the messages of the handshake, which ends with the client's Finished, if <see cref="TranscriptHash.KeepMessages"/> began that.</summary>
    /// <returns>Whether they are kept.</returns>
    public bool KeepMainTranscript()
    {
        if (Transcript.TakeMessages() is { } messages)
            MainTranscript = new MainTranscript(Transcript.Hash!.Value, messages);
        return MainTranscript != null;
    }

    /// <summary>On a client: lets CertificateRequests come from now on.</summary>
    public void TakeCertificateRequests() => records.TakeCertificateRequests();

    /// <summary>On a server: lets the answer to a request come, or nothing more.</summary>
    public void TakeCertificates(bool allowed) => records.TakeCertificates(allowed);

    /// <summary>verify_data of the peer's Finished behind the handshake, under its secret of the record that held it.</summary>
    public void ComputePeersPostHandshakeFinished(ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData) =>
        records.ComputePeersFinished(transcriptHash, verifyData);

    /// <summary>verify_data of this side's Finished behind the handshake (RFC 8446 §4.4), under its present application traffic secret.</summary>
    public void ComputePostHandshakeFinished(ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData) => records.ComputeFinished(transcriptHash, verifyData);

    /// <summary>Makes records of messages behind the handshake.</summary>
    public void SendPostHandshake(ReadOnlySpan<byte> messages) => records.Seal(TlsContentType.Handshake, messages, outgoing);

    /// <summary>Takes new keys for what is sent from now on; what was written before goes out under the old ones.</summary>
    public void ChangeWriteKeys(TrafficSecret secret)
    {
        SendMessages();
        records.ChangeWriteKeys(CipherSuite, secret.Value);
    }

    /// <summary>The limit that the peer asked for (RFC 8449); 0 if it asked for none.</summary>
    public int PeerSizeLimit { get; set; }

    /// <summary>Keeps to both sides' limits (RFC 8449), since both were told.</summary>
    /// <param name="presentKeys">Whether the present keys are under them already, and not only those to come.</param>
    public void LimitRecords(bool presentKeys) => records.LimitRecords(options.RecordSizeLimit, PeerSizeLimit, presentKeys);

    /// <summary>Writes a secret to the key log, if that was opted into twice.</summary>
    public void LogSecret(string label, TrafficSecret secret)
    {
        if (options.EnableKeyLog)
            KeyLog.Write(label, _clientRandom, secret.Value);
    }

    /// <summary>Checks the peer's Finished (RFC 8446 §4.4.4) against the transcript before it.</summary>
    public TlsError? VerifyFinished(TrafficSecret peerSecret, HandshakeMessage message)
    {
        if (FinishedMessage.Check(message.Body, peerSecret.Hash.Length()) is { } error)
            return error;
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        return peerSecret.VerifyFinished(Transcript.Snapshot(digest), message.Body)
            ? null
            : TlsError.Misbehaved(TlsAlert.DecryptError, "The peer's Finished is wrong.");
    }

    /// <summary>Writes this side's Finished over the transcript so far.</summary>
    /// <returns>Its verify_data.</returns>
    public byte[] WriteFinished(TrafficSecret ownSecret)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        byte[] verifyData = new byte[ownSecret.Hash.Length()];
        HashMessages();
        ownSecret.ComputeFinished(Transcript.Snapshot(digest), verifyData);
        FinishedMessage.Write(Messages, verifyData);
        HashMessages();
        return verifyData;
    }

    /// <summary>The content that the server signs (RFC 8446 §4.4.3), over the transcript so far.</summary>
    public byte[] ServerSignedContent()
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        HashMessages();
        return CertificateVerifyMessage.ServerSignedContent(Transcript.Snapshot(digest));
    }

    /// <summary>The content that the client signs (RFC 8446 §4.4.3), over the transcript so far.</summary>
    public byte[] ClientSignedContent()
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        HashMessages();
        return CertificateVerifyMessage.ClientSignedContent(Transcript.Snapshot(digest));
    }

    /// <summary>Erases every secret.</summary>
    public void Dispose()
    {
        State.Dispose();
        Work?.Dispose();
        Work = null;
        Transcript.Dispose();
        Exporter?.Dispose();
        Exporter = null;
        EarlyExporter?.Dispose();
        EarlyExporter = null;
        IsEarlyDataOpen = false;
        Resumption?.Dispose();
        Resumption = null;
        ErasePreSharedKey();
    }

    private void TakePreSharedKey(ReadOnlySpan<byte> preSharedKey, int identity)
    {
        _preSharedKey = GC.AllocateUninitializedArray<byte>(preSharedKey.Length, pinned: true);
        preSharedKey.CopyTo(_preSharedKey);
        SelectedIdentity = identity;
    }

    private TrafficSecret DeriveEarlyTraffic(TlsHash hash, ReadOnlySpan<byte> preSharedKey, ReadOnlySpan<byte> helloHash)
    {
        using EarlySecret early = EarlySecret.Of(hash, preSharedKey);
        TrafficSecret traffic = early.DeriveClientTraffic(helloHash);
        EarlyExporter = early.DeriveExporter(helloHash);
        LogSecret("CLIENT_EARLY_TRAFFIC_SECRET", traffic);
        return traffic;
    }

    private void ErasePreSharedKey()
    {
        CryptographicOperations.ZeroMemory(_preSharedKey);
        _preSharedKey = null;
    }
}
