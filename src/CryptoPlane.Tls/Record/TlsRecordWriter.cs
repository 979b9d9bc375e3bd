using System.Buffers.Binary;
using CryptoPlane.Aead;

namespace CryptoPlane.Tls.Record;

/// <summary>
/// Seals records in bursts: every record becomes one operation of an AEAD burst that it may share with other connections and protocols.
/// </summary>
/// <remarks>
/// Call order: <see cref="TryAdd"/> and the like for every record · <see cref="AeadBurst.Run"/> · <see cref="CompleteKeyUpdate"/> for
/// every connection that a KeyUpdate was added for. Records go out in the order of adding. Nothing here allocates managed memory or
/// throws on a record's account.
/// </remarks>
public static unsafe class TlsRecordWriter
{
    private const int AlertLength = 2, KeyUpdateLength = 5;
    private const byte WarningLevel = 1, FatalLevel = 2, KeyUpdateType = 24;

    /// <summary>type = application_data, legacy_record_version = 0x0303 (RFC 8446 §5.2), in memory order.</summary>
    private const ulong HeaderFront = (ulong)TlsContentType.ApplicationData | (0x03UL << 8) | (0x03UL << 16);

    /// <summary>Adds the sealing of a record to a burst.</summary>
    /// <param name="burst">Takes one operation.</param>
    /// <param name="state">The connection's state for sealing; its sequence number is taken.</param>
    /// <param name="type">What the content is.</param>
    /// <param name="content">Native memory. Either <paramref name="destination"/> + 5 (in place), or disjoint from the destination. One byte
    /// behind the content is overwritten with its type.</param>
    /// <param name="length">Bytes of content, at most <see cref="TlsTrafficState.MaxContent"/>; 0 is for application data only.</param>
    /// <param name="destination">Where the record is written; it belongs to the burst until that has run.</param>
    /// <param name="destinationCapacity">Bytes there: the content's and <see cref="TlsRecordSizes.Overhead"/>.</param>
    /// <param name="recordLength">Bytes of the record; 0 unless it was added.</param>
    /// <returns>With everything but <see cref="TlsRecordStatus.Added"/> nothing was changed.</returns>
    public static TlsRecordStatus TryAdd(
        AeadBurst burst,
        TlsTrafficState* state,
        TlsContentType type,
        byte* content,
        int length,
        byte* destination,
        int destinationCapacity,
        out int recordLength)
    {
        recordLength = 0;
        // RFC 8449 §4: the limit counts the type, and padding, of which there is none.
        if ((uint)length >= state->SizeLimit || (length == 0 && type != TlsContentType.ApplicationData))
            return TlsRecordStatus.InvalidLength;
        if (destinationCapacity < length + TlsRecordSizes.Overhead)
            return TlsRecordStatus.DestinationTooSmall;
        if (state->Sequence >= state->DataLimit || state->Flags != TlsTrafficFlags.None)
        {
            TlsRecordStatus refusal = WhyNot(state, type);
            if (refusal != TlsRecordStatus.Added)
                return refusal;
        }
        if (!burst.TryAdd(out AeadOperation* operation))
            return TlsRecordStatus.BurstFull;

        // Sound from here on: the destination has room for header, content, type and tag, and the caller vouches for one byte behind
        // the content. Every field of the operation is written.
        int payload = length + TlsRecordSizes.InnerType + AeadSizes.Tag;
        ulong header = HeaderFront | ((ulong)BinaryPrimitives.ReverseEndianness((ushort)payload) << 24);
        *(uint*)destination = (uint)header;
        destination[4] = (byte)(header >> 32);
        // RFC 8446 §5.2: TLSInnerPlaintext is the content, its type, and padding (none).
        content[length] = (byte)type;

        operation->Source = content;
        operation->Destination = destination + TlsRecordSizes.Header;
        operation->Key = state->Key;
        operation->Length = (uint)(length + TlsRecordSizes.InnerType);
        operation->AadLength = TlsRecordSizes.Header;
        operation->Direction = AeadDirection.Seal;
        operation->Status = AeadStatus.Pending;
        // RFC 8446 §5.2: additional_data is the record header.
        *(ulong*)operation->InlineAad = header;
        *(ulong*)(operation->InlineAad + sizeof(ulong)) = 0;
        state->WriteNonce(operation, state->Sequence);
        operation->UserData = 0;

        state->Sequence++;
        state->ContentBytes += (uint)length;
        recordLength = TlsRecordSizes.Header + payload;
        return TlsRecordStatus.Added;
    }

    /// <summary>
    /// Adds a KeyUpdate (RFC 8446 §4.6.3) to a burst and changes to the next key: records added from now on are sealed with it. When the
    /// burst has run, call <see cref="CompleteKeyUpdate"/>.
    /// </summary>
    /// <param name="burst">Takes one operation.</param>
    /// <param name="state">The connection's state for sealing.</param>
    /// <param name="requestUpdate">Whether the peer is to update its key as well. Never in an answer to the peer's own KeyUpdate.</param>
    /// <param name="destination">Native memory for the record.</param>
    /// <param name="destinationCapacity">Bytes there: 5 and <see cref="TlsRecordSizes.Overhead"/>.</param>
    /// <param name="recordLength">Bytes of the record; 0 unless it was added.</param>
    public static TlsRecordStatus PrepareKeyUpdate(
        AeadBurst burst, TlsTrafficState* state, bool requestUpdate, byte* destination, int destinationCapacity, out int recordLength)
    {
        recordLength = 0;
        if (destinationCapacity < KeyUpdateLength + TlsRecordSizes.Overhead)
            return TlsRecordStatus.DestinationTooSmall;
        if (!state->OutgoingKey.IsNull)
            return TlsRecordStatus.KeyUpdateInProgress;

        byte* message = destination + TlsRecordSizes.Header;
        message[0] = KeyUpdateType;
        message[1] = message[2] = 0;
        message[3] = 1;
        message[4] = requestUpdate ? (byte)1 : (byte)0;
        TlsRecordStatus status = TryAdd(burst, state, TlsContentType.Handshake, message, KeyUpdateLength, destination, destinationCapacity, out recordLength);
        if (status == TlsRecordStatus.Added)
            state->OutgoingKey = state->AdvanceKey();
        return status;
    }

    /// <summary>Retires the key that a KeyUpdate replaced, once the burst has run that used it. Does nothing if there is none.</summary>
    public static void CompleteKeyUpdate(TlsTrafficState* state, AeadEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        if (state->OutgoingKey.IsNull)
            return;
        engine.Retire(state->OutgoingKey);
        state->OutgoingKey = default;
    }

    /// <summary>Adds an alert to a burst. close_notify and fatal alerts, which all others but user_canceled are, close the direction.</summary>
    /// <param name="burst">Takes one operation.</param>
    /// <param name="state">The connection's state for sealing.</param>
    /// <param name="alert">The alert; <see cref="TlsAlert.CloseNotify"/> for a proper end (RFC 8446 §6.1).</param>
    /// <param name="destination">Native memory for the record.</param>
    /// <param name="destinationCapacity">Bytes there: 2 and <see cref="TlsRecordSizes.Overhead"/>.</param>
    /// <param name="recordLength">Bytes of the record; 0 unless it was added.</param>
    public static TlsRecordStatus TryAddAlert(
        AeadBurst burst, TlsTrafficState* state, TlsAlert alert, byte* destination, int destinationCapacity, out int recordLength)
    {
        recordLength = 0;
        if (destinationCapacity < AlertLength + TlsRecordSizes.Overhead)
            return TlsRecordStatus.DestinationTooSmall;
        bool isWarning = alert is TlsAlert.CloseNotify or TlsAlert.UserCanceled;
        byte* message = destination + TlsRecordSizes.Header;
        message[0] = isWarning ? WarningLevel : FatalLevel;
        message[1] = (byte)alert;
        TlsRecordStatus status = TryAdd(burst, state, TlsContentType.Alert, message, AlertLength, destination, destinationCapacity, out recordLength);
        if (status == TlsRecordStatus.Added && alert != TlsAlert.UserCanceled)
            state->Flags |= TlsTrafficFlags.Closed;
        return status;
    }

    /// <summary>Why a state that is not plainly good does not seal; <see cref="TlsRecordStatus.Added"/> if it does after all.</summary>
    private static TlsRecordStatus WhyNot(TlsTrafficState* state, TlsContentType type)
    {
        if (state->IsClosed)
            return TlsRecordStatus.Closed;
        // RFC 8446 §5.5: a KeyUpdate before the limit; §5.3: never more records than sequence numbers.
        if (state->Sequence >= state->RecordLimit)
            return TlsRecordStatus.KeyExhausted;
        return state->Sequence >= state->DataLimit && type == TlsContentType.ApplicationData ? TlsRecordStatus.KeyUpdateNeeded : TlsRecordStatus.Added;
    }
}
