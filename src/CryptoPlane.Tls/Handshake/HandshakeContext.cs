using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
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

    /// <summary>The running hash over the handshake's messages.</summary>
    public TranscriptHash Transcript { get; } = new();

    /// <summary>Messages that were written and not yet sent.</summary>
    public WireWriter Messages { get; } = new(2048);

    /// <summary>What the handshake waits for next.</summary>
    public HandshakeState State { get; private set; } = null!;

    /// <summary>Public-key work that the handshake waits for; null if there is none.</summary>
    public TlsPendingWork? Work { get; set; }

    /// <summary>Whether the first ClientHello was sent or received.</summary>
    public bool IsHelloDone { get; set; }

    /// <summary>The negotiated suite.</summary>
    public TlsCipherSuite CipherSuite { get; set; }

    /// <summary>The negotiated group.</summary>
    public TlsNamedGroup Group { get; set; }

    /// <summary>The scheme of the server's CertificateVerify.</summary>
    public TlsSignatureScheme SignatureScheme { get; set; }

    /// <summary>The negotiated application protocol; the default value for none.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; set; }

    /// <summary>The name that the client asked for; null if it asked for none.</summary>
    public string? ServerName { get; set; }

    /// <summary>Whether a HelloRetryRequest was sent or received.</summary>
    public bool WasRetried { get; set; }

    /// <summary>The peer's certificate, once it is verified. The connection owns it.</summary>
    public X509Certificate2? RemoteCertificate { get; set; }

    /// <summary>The verify_data of the client's Finished; empty until it is sent or checked.</summary>
    public byte[] ClientFinished { get; set; } = [];

    /// <summary>For keying material of protocols above TLS.</summary>
    public ExporterSecret? Exporter { get; set; }

    /// <summary>Bytes of rejected early data that may still come and be dropped (RFC 8446 §4.2.10).</summary>
    public int EarlyDataBudget { get; set; }

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
    public void SendMessages()
    {
        if (Messages.Length == 0)
            return;
        HashMessages();
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

    /// <summary>RFC 8446 §5.1: "Handshake messages MUST NOT span key changes": nothing may follow a message that changes keys in its record.</summary>
    public TlsError? CheckKeyChangeBoundary() =>
        joiner.IsEmpty ? null : TlsError.Unexpected("Handshake data follows a message that changes the keys, in one record.");

    /// <summary>Takes new keys for what the peer sends.</summary>
    public void ChangeReadKeys(TrafficSecret secret, TlsTrafficUse use) => records.ChangeReadKeys(CipherSuite, secret.Value, use);

    /// <summary>Takes new keys for what is sent from now on; what was written before goes out under the old ones.</summary>
    public void ChangeWriteKeys(TrafficSecret secret)
    {
        SendMessages();
        records.ChangeWriteKeys(CipherSuite, secret.Value);
    }

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

    /// <summary>Erases every secret.</summary>
    public void Dispose()
    {
        State.Dispose();
        Work?.Dispose();
        Work = null;
        Transcript.Dispose();
        Exporter?.Dispose();
        Exporter = null;
    }
}
