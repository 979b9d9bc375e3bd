using System.Buffers.Binary;
using CryptoPlane.Aead;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Dtls;

/// <summary>
/// Seals records in bursts: every record becomes one operation of an AEAD burst that it may share with other associations and protocols.
/// </summary>
/// <remarks>
/// Call order: <see cref="TryAdd"/> and the like for every record · <see cref="AeadBurst.Run"/>. Nothing here allocates managed memory or
/// throws on a record's account.
/// </remarks>
public static unsafe class DtlsRecordWriter
{
    private const int AlertLength = 2;

    /// <summary>Adds the sealing of a record to a burst.</summary>
    /// <param name="burst">Takes one operation.</param>
    /// <param name="state">The state for sealing; its sequence number is taken.</param>
    /// <param name="type">What the content is.</param>
    /// <param name="content">Native memory. Either <paramref name="destination"/> + <see cref="DtlsTrafficState.ContentOffset"/> (in place), or
    /// disjoint from the destination.</param>
    /// <param name="length">Bytes of content, at most <see cref="DtlsRecordSizes.MaxContent"/>.</param>
    /// <param name="destination">Where the record is written; it belongs to the burst until that has run.</param>
    /// <param name="destinationCapacity">Bytes there: the content's and <see cref="DtlsTrafficState.Overhead"/>.</param>
    /// <param name="recordLength">Bytes of the record; 0 unless it was added.</param>
    /// <returns>With everything but <see cref="TlsRecordStatus.Added"/> nothing was changed.</returns>
    public static TlsRecordStatus TryAdd(
        AeadBurst burst,
        DtlsTrafficState* state,
        TlsContentType type,
        byte* content,
        int length,
        byte* destination,
        int destinationCapacity,
        out int recordLength)
    {
        recordLength = 0;
        if ((uint)length > DtlsRecordSizes.MaxContent || (length == 0 && type != TlsContentType.ApplicationData))
            return TlsRecordStatus.InvalidLength;
        if (destinationCapacity < length + state->Overhead)
            return TlsRecordStatus.DestinationTooSmall;
        if (state->Closed)
            return TlsRecordStatus.Closed;
        // RFC 6347 §4.1: sequence numbers "MUST NOT" wrap; what is no data may use the reserve before that.
        if (state->IsExhausted && (type == TlsContentType.ApplicationData || state->Sequence > DtlsRecordHeader.MaxSequence))
            return TlsRecordStatus.KeyExhausted;
        if (!burst.TryAdd(out AeadOperation* operation))
            return TlsRecordStatus.BurstFull;

        // Sound from here on: the destination has room for header, explicit nonce, content and tag. Every field of the operation is written.
        ulong number = ((ulong)state->EpochNumber << 48) | state->Sequence;
        ulong wireNumber = BinaryPrimitives.ReverseEndianness(number);
        int payload = state->ExplicitNonce + length + AeadSizes.Tag;
        destination[0] = (byte)type;
        *(ushort*)(destination + 1) = BinaryPrimitives.ReverseEndianness(DtlsRecordHeader.Version);
        *(ulong*)(destination + 3) = wireNumber;
        *(ushort*)(destination + 11) = BinaryPrimitives.ReverseEndianness((ushort)payload);
        // RFC 5288 §3: the explicit nonce must be unique under its key; RFC 6347 §4.1.2.1's number of epoch and sequence is.
        if (state->ExplicitNonce != 0)
            *(ulong*)(destination + DtlsRecordSizes.Header) = wireNumber;

        operation->Source = content;
        operation->Destination = destination + state->ContentOffset;
        operation->Key = state->Key;
        operation->Length = (uint)length;
        operation->Direction = AeadDirection.Seal;
        operation->Status = AeadStatus.Pending;
        operation->UserData = 0;
        state->WriteNonceAndAad(operation, (byte)type, number, wireNumber, length);

        state->Sequence++;
        state->RecordCount++;
        state->ContentBytes += (uint)length;
        recordLength = DtlsRecordSizes.Header + payload;
        return TlsRecordStatus.Added;
    }

    /// <summary>Adds an alert to a burst, which closes the direction.</summary>
    /// <param name="burst">Takes one operation.</param>
    /// <param name="state">The state for sealing.</param>
    /// <param name="alert">The alert; <see cref="TlsAlert.CloseNotify"/> for a proper end (RFC 5246 §7.2.1).</param>
    /// <param name="destination">Native memory for the record.</param>
    /// <param name="destinationCapacity">Bytes there: 2 and <see cref="DtlsTrafficState.Overhead"/>.</param>
    /// <param name="recordLength">Bytes of the record; 0 unless it was added.</param>
    public static TlsRecordStatus TryAddAlert(
        AeadBurst burst, DtlsTrafficState* state, TlsAlert alert, byte* destination, int destinationCapacity, out int recordLength)
    {
        const byte warning = 1, fatal = 2;
        recordLength = 0;
        if (destinationCapacity < AlertLength + state->Overhead)
            return TlsRecordStatus.DestinationTooSmall;
        byte* message = destination + state->ContentOffset;
        message[0] = alert == TlsAlert.CloseNotify ? warning : fatal;
        message[1] = (byte)alert;
        TlsRecordStatus status = TryAdd(burst, state, TlsContentType.Alert, message, AlertLength, destination, destinationCapacity, out recordLength);
        if (status == TlsRecordStatus.Added)
            state->Closed = true;
        return status;
    }
}
