using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// The record layer of a connection that is still on a control thread: plaintext first, then under the keys of the handshake, one record at
/// a time, then of the application, whose state an lcore may take over.
/// </summary>
internal sealed unsafe class RecordProtection : IDisposable
{
    /// <summary>Bytes of a KeyUpdate message with its header.</summary>
    private const int KeyUpdateSize = 5;

    // Native, as the state moves to lcores by its bytes. [0] reads, [1] writes; zero until there are keys.
    private TlsTrafficState* _states;

    private ushort _readLimit = TlsRecordSizes.MaxInnerPlaintext, _writeLimit = TlsRecordSizes.MaxInnerPlaintext;

    public RecordProtection()
    {
        _states = (TlsTrafficState*)NativeMemory.AlignedAlloc(2 * TlsTrafficState.SizeInBytes, 64);
        NativeMemory.Clear(_states, 2 * TlsTrafficState.SizeInBytes);
    }

    // While an answer to a CertificateRequest may come: the secret that opened the last record.
    private byte[] _openedUnder = [];

    ~RecordProtection() => Free();

    private TlsTrafficState* ReadState => _states;

    internal TlsTrafficState* WriteState => _states + 1;

    /// <summary>Whether what the peer sends is protected by now.</summary>
    public bool IsReadProtected => ReadState->Suite != TlsCipherSuite.None;

    /// <summary>Whether what this side sends is protected by now.</summary>
    public bool IsWriteProtected => WriteState->Suite != TlsCipherSuite.None;

    /// <summary>Whether any protected record was opened under the present keys.</summary>
    public bool HasOpened => ReadState->Records != 0;

    /// <summary>How often the keys for opening were updated by the peer.</summary>
    public uint KeyUpdatesReceived => _states == null ? 0 : ReadState->KeyUpdates;

    /// <summary>How often the keys for sealing were updated.</summary>
    public uint KeyUpdatesSent => _states == null ? 0 : WriteState->KeyUpdates;

    /// <summary>Whether messages behind the handshake are given out: what the connection makes of one may change what comes next.</summary>
    public bool GivesMessages => (ReadState->Flags & TlsTrafficFlags.GivesTickets) != 0;

    /// <summary>Most bytes of content in one protected record that is sent.</summary>
    public int MaxContent => WriteState->MaxContent;

    /// <summary>Reads and clears the peer's wish for a KeyUpdate of ours.</summary>
    public bool TakeKeyUpdateRequest() => ReadState->TakeKeyUpdateRequest();

    /// <summary>Takes new keys for opening.</summary>
    public void ChangeReadKeys(TlsCipherSuite suite, ReadOnlySpan<byte> secret, TlsTrafficUse use, bool keepTickets)
    {
        ReadState->Release(ControlWorkspace.Current.Engine);
        TlsTrafficState.Initialize(ReadState, suite, secret, use);
        ReadState->SizeLimit = _readLimit;
        if (keepTickets)
            ReadState->Flags |= TlsTrafficFlags.GivesTickets;
    }

    /// <summary>Lets CertificateRequests come behind the handshake (RFC 8446 §4.6.2), and gives them out.</summary>
    public void TakeCertificateRequests() => ReadState->Flags |= TlsTrafficFlags.GivesTickets | TlsTrafficFlags.TakesCertificateRequests;

    /// <summary>Lets the answer to a CertificateRequest come behind the handshake, and gives it out; or nothing more.</summary>
    public void TakeCertificates(bool allowed)
    {
        const TlsTrafficFlags Flags = TlsTrafficFlags.GivesTickets | TlsTrafficFlags.TakesCertificates;
        ReadState->Flags = allowed ? ReadState->Flags | Flags : ReadState->Flags & ~Flags;
        CryptographicOperations.ZeroMemory(_openedUnder);
        _openedUnder = allowed ? GC.AllocateArray<byte>(TlsHashes.MaxLength, pinned: true) : [];
    }

    /// <summary>verify_data under the secret that opened the last record, which a KeyUpdate at the record's end has changed.</summary>
    public void ComputePeersFinished(ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData)
    {
        TlsHash hash = CipherSuiteParameters.Of(ReadState->Suite).Hash;
        TrafficSecret.ComputeFinished(hash, _openedUnder.AsSpan(0, hash.Length()), transcriptHash, verifyData);
    }

    /// <summary>verify_data under the present secret for sealing.</summary>
    public void ComputeFinished(ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData)
    {
        TlsHash hash = CipherSuiteParameters.Of(WriteState->Suite).Hash;
        TrafficSecret.ComputeFinished(hash, new ReadOnlySpan<byte>(WriteState->Secret, hash.Length()), transcriptHash, verifyData);
    }

    /// <summary>Takes new keys for sealing.</summary>
    public void ChangeWriteKeys(TlsCipherSuite suite, ReadOnlySpan<byte> secret)
    {
        WriteState->Release(ControlWorkspace.Current.Engine);
        TlsTrafficState.Initialize(WriteState, suite, secret, TlsTrafficUse.Write);
        WriteState->SizeLimit = _writeLimit;
    }

    /// <summary>Gives the keys for sealing up: what follows is plaintext again, as the second ClientHello behind rejected early data.</summary>
    public void DropWriteKeys() => WriteState->Release(ControlWorkspace.Current.Engine);

    /// <summary>Takes the limits of RFC 8449 for protected records under the keys to come, and under the present ones as well if so said.</summary>
    public void LimitRecords(int read, int write, bool presentKeys)
    {
        _readLimit = (ushort)read;
        _writeLimit = (ushort)write;
        if (!presentKeys)
            return;
        ReadState->SizeLimit = _readLimit;
        WriteState->SizeLimit = _writeLimit;
    }

    /// <summary>Opens a protected record.</summary>
    /// <param name="record">A whole record of application_data.</param>
    /// <param name="forgiveForgery">
    /// Leaves the state as it was if the record cannot be opened, or is longer than this side's limit, which no early data keeps to: it may be
    /// early data that was rejected.
    /// </param>
    /// <param name="content">The content; valid until the next call on this thread.</param>
    public TlsOpenedRecord Open(ReadOnlySpan<byte> record, bool forgiveForgery, out ReadOnlySpan<byte> content)
    {
        ControlWorkspace workspace = ControlWorkspace.Current;
        TlsTrafficState before = *ReadState;
        TlsOpenedRecord opened;
        // Sound: the backends of a control thread's engine are done when Run returns, so the pinned source outlives its use; the
        // plaintext buffer has room for the longest record.
        fixed (byte* source = record)
        {
            workspace.Reader.TryAdd(workspace.Burst, ReadState, source, record.Length, workspace.Plaintext, userData: 0);
            workspace.Burst.Run(workspace.Engine);
            for (int first = workspace.Burst.Count; workspace.Reader.Complete(workspace.Burst, workspace.Engine); first = workspace.Burst.Count)
                workspace.Burst.Run(workspace.Engine, first);
            opened = workspace.Reader[0];
        }
        workspace.Reader.Clear();
        workspace.Burst.Clear();
        content = opened.Content;
        if (forgiveForgery && opened.Status is (TlsOpenStatus.BadRecordMac or TlsOpenStatus.RecordOverflow))
            *ReadState = before;
        if (_openedUnder.Length != 0)
            new ReadOnlySpan<byte>(before.Secret, TlsHashes.MaxLength).CopyTo(_openedUnder);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<TlsTrafficState>(ref before)));
        return opened;
    }

    /// <summary>Opens protected records in one burst.</summary>
    /// <param name="records">
    /// Whole records of application_data: at most <see cref="ControlWorkspace.RecordsPerBurst"/>, and <see cref="ControlWorkspace.PlaintextSize"/> bytes.
    /// </param>
    /// <returns>Their results, valid as their contents are until the next call on this thread; to be cleared.</returns>
    public TlsRecordReader OpenBurst(ReadOnlySpan<byte> records)
    {
        ControlWorkspace workspace = ControlWorkspace.Current;
        // Sound: as in Open. No record needs more room for its content than it has bytes, so all of them together fit.
        fixed (byte* source = records)
        {
            for (int done = 0; done < records.Length;)
            {
                int length = TlsRecordSizes.Header + ((source[done + 3] << 8) | source[done + 4]);
                workspace.Reader.TryAdd(workspace.Burst, ReadState, source + done, length, workspace.Plaintext + done, userData: 0);
                done += length;
            }
            workspace.Burst.Run(workspace.Engine);
            for (int first = workspace.Burst.Count; workspace.Reader.Complete(workspace.Burst, workspace.Engine); first = workspace.Burst.Count)
                workspace.Burst.Run(workspace.Engine, first);
        }
        workspace.Burst.Clear();
        return workspace.Reader;
    }

    /// <summary>Makes records of some content, protected if there are keys.</summary>
    public void Seal(TlsContentType type, ReadOnlySpan<byte> content, OutgoingBuffer outgoing)
    {
        if (!IsWriteProtected)
        {
            WritePlain(type, content, outgoing);
            return;
        }
        while (!content.IsEmpty)
        {
            int length = Math.Min(content.Length, WriteState->MaxContent);
            Span<byte> record = outgoing.Reserve(length + TlsRecordSizes.Overhead);
            if (TrySeal(type, content[..length], record, out int recordLength) != TlsRecordStatus.Added)
                return;
            outgoing.Commit(recordLength);
            content = content[length..];
        }
    }

    /// <summary>Makes plaintext records of some content (RFC 8446 §5.1).</summary>
    /// <param name="type">What it is.</param>
    /// <param name="content">The content.</param>
    /// <param name="outgoing">Takes the records.</param>
    /// <param name="isFirstHello">Whether it is the connection's first ClientHello, which "SHOULD have version 0x0301": some servers and
    /// middleboxes turn others away. Everything else has 0x0303.</param>
    public static void WritePlain(TlsContentType type, ReadOnlySpan<byte> content, OutgoingBuffer outgoing, bool isFirstHello = false)
    {
        while (!content.IsEmpty)
        {
            int length = Math.Min(content.Length, TlsRecordSizes.MaxContent);
            Span<byte> record = outgoing.Reserve(TlsRecordSizes.Header + length);
            record[0] = (byte)type;
            record[1] = 3;
            record[2] = isFirstHello ? (byte)1 : (byte)3;
            record[3] = (byte)(length >> 8);
            record[4] = (byte)length;
            content[..length].CopyTo(record[TlsRecordSizes.Header..]);
            outgoing.Commit(record.Length);
            content = content[length..];
        }
    }

    /// <summary>Makes one protected record, of at most <see cref="MaxContent"/> bytes of content.</summary>
    public TlsRecordStatus TrySeal(TlsContentType type, ReadOnlySpan<byte> content, Span<byte> record, out int recordLength)
    {
        ControlWorkspace workspace = ControlWorkspace.Current;
        recordLength = 0;
        if (record.Length < content.Length + TlsRecordSizes.Overhead)
            return TlsRecordStatus.DestinationTooSmall;
        content.CopyTo(record[TlsRecordSizes.Header..]);
        TlsRecordStatus status;
        // Sound: Run is done before the record is unpinned, and its room for type and tag lies behind the content.
        fixed (byte* destination = record)
        {
            status = TlsRecordWriter.TryAdd(
                workspace.Burst, WriteState, type, destination + TlsRecordSizes.Header, content.Length, destination, record.Length, out recordLength);
            workspace.Burst.Run(workspace.Engine);
        }
        workspace.Burst.Clear();
        return status;
    }

    /// <summary>Makes records of application data in one burst, as many as there is data and room for.</summary>
    /// <returns><see cref="TlsRecordStatus.Added"/> if any was made.</returns>
    public TlsRecordStatus TrySealBurst(ReadOnlySpan<byte> data, Span<byte> records, out int bytesConsumed, out int bytesWritten)
    {
        ControlWorkspace workspace = ControlWorkspace.Current;
        bytesConsumed = bytesWritten = 0;
        var status = TlsRecordStatus.DestinationTooSmall;
        // Sound: as in TrySeal.
        fixed (byte* destination = records)
        {
            while (bytesConsumed < data.Length && workspace.Burst.Count < ControlWorkspace.RecordsPerBurst)
            {
                int length = Math.Min(Math.Min(data.Length - bytesConsumed, MaxContent), records.Length - bytesWritten - TlsRecordSizes.Overhead);
                if (length <= 0)
                    break;
                data.Slice(bytesConsumed, length).CopyTo(records[(bytesWritten + TlsRecordSizes.Header)..]);
                byte* record = destination + bytesWritten;
                status = TlsRecordWriter.TryAdd(
                    workspace.Burst, WriteState, TlsContentType.ApplicationData, record + TlsRecordSizes.Header, length, record,
                    records.Length - bytesWritten, out int recordLength);
                if (status != TlsRecordStatus.Added)
                    break;
                bytesConsumed += length;
                bytesWritten += recordLength;
            }
            workspace.Burst.Run(workspace.Engine);
        }
        workspace.Burst.Clear();
        return bytesWritten > 0 ? TlsRecordStatus.Added : status;
    }

    /// <summary>Sends a KeyUpdate (RFC 8446 §4.6.3) and takes the next keys for sealing.</summary>
    public void SendKeyUpdate(bool requestUpdate, OutgoingBuffer outgoing)
    {
        ControlWorkspace workspace = ControlWorkspace.Current;
        Span<byte> record = outgoing.Reserve(KeyUpdateSize + TlsRecordSizes.Overhead);
        int recordLength;
        // Sound: as in TrySeal.
        fixed (byte* destination = record)
        {
            TlsRecordWriter.PrepareKeyUpdate(workspace.Burst, WriteState, requestUpdate, destination, record.Length, out recordLength);
            workspace.Burst.Run(workspace.Engine);
        }
        workspace.Burst.Clear();
        TlsRecordWriter.CompleteKeyUpdate(WriteState, workspace.Engine);
        outgoing.Commit(recordLength);
    }

    /// <summary>Sends an alert (RFC 8446 §6), protected if there are keys.</summary>
    public void SendAlert(TlsAlert alert, OutgoingBuffer outgoing)
    {
        bool isWarning = alert is TlsAlert.CloseNotify or TlsAlert.UserCanceled;
        Seal(TlsContentType.Alert, [isWarning ? (byte)1 : (byte)2, (byte)alert], outgoing);
    }

    /// <summary>Moves both states out, with their keys and sequence numbers; this object is then without keys.</summary>
    public void MoveTo(TlsTrafficState* read, TlsTrafficState* write)
    {
        ReadState->Flags &= ~(TlsTrafficFlags.GivesTickets | TlsTrafficFlags.TakesCertificateRequests | TlsTrafficFlags.TakesCertificates);
        *read = *ReadState;
        *write = *WriteState;
        NativeMemory.Clear(_states, 2 * TlsTrafficState.SizeInBytes);
    }

    /// <summary>Erases the keys.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        CryptographicOperations.ZeroMemory(_openedUnder);
        if (_states == null)
            return;
        ReadState->Release(ControlWorkspace.Current.Engine);
        WriteState->Release(ControlWorkspace.Current.Engine);
        NativeMemory.AlignedFree(_states);
        _states = null;
    }
}
