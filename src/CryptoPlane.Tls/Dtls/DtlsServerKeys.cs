using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Dtls;

/// <summary>Transcript, master secret and record keys of a handshake on a control thread.</summary>
internal sealed unsafe class DtlsServerKeys : IDisposable
{
    private const ushort Epoch = 1;

    private readonly DtlsSuiteParameters _suite;
    private readonly bool _extendedMasterSecret;
    private readonly IncrementalHash _transcript;
    private readonly byte[] _master = GC.AllocateArray<byte>(DtlsPrf.MasterSecretSize, pinned: true);

    // Native, as the states move to lcores by their bytes. [0] reads, [1] writes.
    private DtlsTrafficState* _states;

    public DtlsServerKeys(in DtlsSuiteParameters suite, bool extendedMasterSecret)
    {
        _suite = suite;
        _extendedMasterSecret = extendedMasterSecret;
        _transcript = IncrementalHash.CreateHash(suite.Hash.Name());
        _states = (DtlsTrafficState*)NativeMemory.AlignedAlloc(2 * DtlsTrafficState.SizeInBytes, 64);
        NativeMemory.Clear(_states, 2 * DtlsTrafficState.SizeInBytes);
    }

    ~DtlsServerKeys() => Free();

    /// <summary>Whether there are record keys.</summary>
    public bool AreDerived { get; private set; }

    /// <summary>Appends a whole message, with its header.</summary>
    public void Append(ReadOnlySpan<byte> message) => _transcript.AppendData(message);

    /// <summary>Derives everything; the ClientKeyExchange is the last message of the transcript.</summary>
    public void Derive(ReadOnlySpan<byte> psk, ReadOnlySpan<byte> clientRandom, ReadOnlySpan<byte> serverRandom)
    {
        Span<byte> sessionHash = stackalloc byte[TlsHashes.MaxLength];
        sessionHash = _extendedMasterSecret ? sessionHash[..Snapshot(sessionHash)] : [];
        DtlsPrf.MasterSecret(_suite.Hash, psk, sessionHash, clientRandom, serverRandom, _master);
        // RFC 5246 §6.3: client_write_key, server_write_key, client_write_IV, server_write_IV; AEADs have no MAC keys.
        int key = _suite.KeyLength, iv = _suite.FixedIvLength;
        Span<byte> block = stackalloc byte[2 * (32 + AeadSizes.Nonce)];
        block = block[..(2 * (key + iv))];
        DtlsPrf.Derive(_suite.Hash, _master, "key expansion"u8, serverRandom, clientRandom, block);
        DtlsTrafficState.Initialize(_states, _suite.Suite, Epoch, block[..key], block.Slice(2 * key, iv));
        DtlsTrafficState.Initialize(_states + 1, _suite.Suite, Epoch, block.Slice(key, key), block.Slice((2 * key) + iv, iv));
        CryptographicOperations.ZeroMemory(block);
        AreDerived = true;
    }

    /// <summary>Opens a handshake record.</summary>
    public bool TryOpen(ReadOnlySpan<byte> record, out byte[] content)
    {
        content = [];
        ControlWorkspace workspace = ControlWorkspace.Current;
        if (record.Length > TlsRecordSizes.MaxRecord)
            return false;
        // Sound: the workspace's buffer has room for the longest record, and nothing is in flight when Run returns.
        record.CopyTo(new Span<byte>(workspace.Plaintext, TlsRecordSizes.MaxRecord));
        workspace.DtlsReader.TryAdd(workspace.Burst, _states, workspace.Plaintext, record.Length, userData: 0);
        workspace.Burst.Run(workspace.Engine);
        workspace.DtlsReader.Complete(workspace.Burst);
        ref readonly DtlsOpenedRecord opened = ref workspace.DtlsReader[0];
        bool isHandshake = opened.Status == DtlsOpenStatus.Handshake;
        if (isHandshake)
            content = opened.Content.ToArray();
        workspace.DtlsReader.Clear();
        workspace.Burst.Clear();
        return isHandshake;
    }

    /// <summary>Whether a Finished is the client's, over all messages so far.</summary>
    public bool IsClientFinished(ReadOnlySpan<byte> verifyData)
    {
        Span<byte> expected = stackalloc byte[DtlsPrf.VerifyDataSize];
        VerifyData(ofClient: true, expected);
        return CryptographicOperations.FixedTimeEquals(expected, verifyData);
    }

    /// <summary>Makes the datagram of ChangeCipherSpec and Finished.</summary>
    /// <param name="messageSequence">Finished's number.</param>
    /// <param name="recordSequence">The next record's number in epoch 0; counted on.</param>
    public byte[] SealLastFlight(ushort messageSequence, ref ulong recordSequence)
    {
        Span<byte> verifyData = stackalloc byte[DtlsPrf.VerifyDataSize];
        VerifyData(ofClient: false, verifyData);
        byte[] finished = DtlsHandshakeHeader.Whole(HandshakeType.Finished, messageSequence, verifyData);
        const int changeCipherSpec = DtlsRecordSizes.Header + 1;
        byte[] datagram = new byte[changeCipherSpec + finished.Length + _states[1].Overhead];
        new DtlsRecordHeader(TlsContentType.ChangeCipherSpec, 0, recordSequence++, 1).Write(datagram);
        datagram[changeCipherSpec - 1] = 1;
        ControlWorkspace workspace = ControlWorkspace.Current;
        // Sound: the backends of a control thread's engine are done when Run returns, before the datagram is unpinned.
        fixed (byte* record = &datagram[changeCipherSpec])
        {
            byte* content = record + _states[1].ContentOffset;
            finished.CopyTo(new Span<byte>(content, finished.Length));
            DtlsRecordWriter.TryAdd(
                workspace.Burst, _states + 1, TlsContentType.Handshake, content, finished.Length, record, datagram.Length - changeCipherSpec, out _);
            workspace.Burst.Run(workspace.Engine);
        }
        workspace.Burst.Clear();
        return datagram;
    }

    /// <summary>Moves both states out; this object is then without keys.</summary>
    public void MoveTo(DtlsTrafficState* read, DtlsTrafficState* write)
    {
        *read = _states[0];
        *write = _states[1];
        NativeMemory.Clear(_states, 2 * DtlsTrafficState.SizeInBytes);
    }

    /// <summary>Erases the secrets.</summary>
    public void Dispose()
    {
        Free();
        _transcript.Dispose();
        GC.SuppressFinalize(this);
    }

    private void VerifyData(bool ofClient, Span<byte> verifyData)
    {
        Span<byte> transcript = stackalloc byte[TlsHashes.MaxLength];
        DtlsPrf.VerifyData(_suite.Hash, _master, ofClient, transcript[..Snapshot(transcript)], verifyData);
    }

    private int Snapshot(Span<byte> digest) => _transcript.GetCurrentHash(digest);

    private void Free()
    {
        if (_states == null)
            return;
        CryptographicOperations.ZeroMemory(_master);
        _states[0].Release(ControlWorkspace.Current.Engine);
        _states[1].Release(ControlWorkspace.Current.Engine);
        NativeMemory.AlignedFree(_states);
        _states = null;
    }
}
