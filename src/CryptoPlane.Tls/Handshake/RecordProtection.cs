using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// The record layer of a connection that is still on a control thread: one record at a time, plaintext first, then under the keys of
/// the handshake, then of the application, whose state an lcore may take over.
/// </summary>
internal sealed unsafe class RecordProtection : IDisposable
{
    /// <summary>Bytes of a KeyUpdate message with its header.</summary>
    private const int KeyUpdateSize = 5;

    // Native, as the state moves to lcores by its bytes. [0] reads, [1] writes; zero until there are keys.
    private TlsTrafficState* _states;

    public RecordProtection()
    {
        _states = (TlsTrafficState*)NativeMemory.AlignedAlloc(2 * TlsTrafficState.SizeInBytes, 64);
        NativeMemory.Clear(_states, 2 * TlsTrafficState.SizeInBytes);
    }

    ~RecordProtection() => Free();

    private TlsTrafficState* ReadState => _states;

    internal TlsTrafficState* WriteState => _states + 1;

    /// <summary>Whether what the peer sends is protected by now.</summary>
    public bool IsReadProtected => ReadState->Suite != TlsCipherSuite.None;

    /// <summary>Whether any protected record was opened under the present keys.</summary>
    public bool HasOpened => ReadState->Records != 0;

    /// <summary>How often the keys for opening were updated by the peer.</summary>
    public uint KeyUpdatesReceived => _states == null ? 0 : ReadState->KeyUpdates;

    /// <summary>How often the keys for sealing were updated.</summary>
    public uint KeyUpdatesSent => _states == null ? 0 : WriteState->KeyUpdates;

    /// <summary>Reads and clears the peer's wish for a KeyUpdate of ours.</summary>
    public bool TakeKeyUpdateRequest() => ReadState->TakeKeyUpdateRequest();

    /// <summary>Takes new keys for opening.</summary>
    public void ChangeReadKeys(TlsCipherSuite suite, ReadOnlySpan<byte> secret, TlsTrafficUse use)
    {
        ReadState->Release(ControlWorkspace.Current.Engine);
        TlsTrafficState.Initialize(ReadState, suite, secret, use);
    }

    /// <summary>Takes new keys for sealing.</summary>
    public void ChangeWriteKeys(TlsCipherSuite suite, ReadOnlySpan<byte> secret)
    {
        WriteState->Release(ControlWorkspace.Current.Engine);
        TlsTrafficState.Initialize(WriteState, suite, secret, TlsTrafficUse.Write);
    }

    /// <summary>Opens a protected record.</summary>
    /// <param name="record">A whole record of application_data.</param>
    /// <param name="forgiveForgery">Leaves the state as it was if the record cannot be opened: it may be early data that was rejected.</param>
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
        if (forgiveForgery && opened.Status == TlsOpenStatus.BadRecordMac)
            *ReadState = before;
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<TlsTrafficState>(ref before)));
        return opened;
    }

    /// <summary>Makes records of some content, protected if there are keys.</summary>
    public void Seal(TlsContentType type, ReadOnlySpan<byte> content, OutgoingBuffer outgoing)
    {
        if (WriteState->Suite == TlsCipherSuite.None)
        {
            WritePlain(type, content, outgoing);
            return;
        }
        while (!content.IsEmpty)
        {
            int length = Math.Min(content.Length, TlsRecordSizes.MaxContent);
            Span<byte> record = outgoing.Reserve(length + TlsRecordSizes.Overhead);
            if (TrySeal(type, content[..length], record, out int recordLength) != TlsRecordStatus.Added)
                return;
            outgoing.Commit(recordLength);
            content = content[length..];
        }
    }

    /// <summary>Makes plaintext records of some content (RFC 8446 §5.1).</summary>
    public static void WritePlain(TlsContentType type, ReadOnlySpan<byte> content, OutgoingBuffer outgoing)
    {
        while (!content.IsEmpty)
        {
            int length = Math.Min(content.Length, TlsRecordSizes.MaxContent);
            Span<byte> record = outgoing.Reserve(TlsRecordSizes.Header + length);
            record[0] = (byte)type;
            record[1] = 3;
            record[2] = 3;
            record[3] = (byte)(length >> 8);
            record[4] = (byte)length;
            content[..length].CopyTo(record[TlsRecordSizes.Header..]);
            outgoing.Commit(record.Length);
            content = content[length..];
        }
    }

    /// <summary>Makes one protected record, of at most <see cref="TlsRecordSizes.MaxContent"/> bytes of content.</summary>
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
        if (_states == null)
            return;
        ReadState->Release(ControlWorkspace.Current.Engine);
        WriteState->Release(ControlWorkspace.Current.Engine);
        NativeMemory.AlignedFree(_states);
        _states = null;
    }
}
