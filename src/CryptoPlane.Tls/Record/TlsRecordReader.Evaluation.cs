using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Tls.Record;

/// <summary>From the header of a record to its operation, and from the completed operation to the result.</summary>
public sealed unsafe partial class TlsRecordReader
{
    private const int AlertLength = 2;

    /// <summary>What can be said of a record before it is opened: Pending, or why it will not be.</summary>
    private static TlsOpenStatus Inspect(TlsTrafficState* state, byte* record, int recordLength)
    {
        if (state->IsClosed)
            return TlsOpenStatus.Ended;
        if (recordLength < TlsRecordSizes.Header)
            return TlsOpenStatus.DecodeError;
        int payload = (record[3] << 8) | record[4];
        if (payload != recordLength - TlsRecordSizes.Header)
            return TlsOpenStatus.DecodeError;
        // RFC 8446 §5: protected records are application_data on the outside, and once the handshake is over there are no others.
        if (record[0] != (byte)TlsContentType.ApplicationData)
            return TlsOpenStatus.UnexpectedMessage;
        // RFC 8446 §5.2, §5.4: the inner plaintext with its padding has at most 2^14 + 1 bytes, which its length shows beforehand; RFC 8449
        // §4: or as many as the peer was told, with record_overflow for more.
        if (payload > state->SizeLimit + AeadSizes.Tag)
            return TlsOpenStatus.RecordOverflow;
        if (payload < AeadSizes.Tag)
            return TlsOpenStatus.BadRecordMac;
        // RFC 8446 §5.3: "sequence numbers … MUST NOT wrap".
        return state->Sequence >= state->RecordLimit ? TlsOpenStatus.KeyExhausted : TlsOpenStatus.Pending;
    }

    /// <summary>Describes the opening of a record, and takes a sequence number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(TlsOpenedRecord* entry, AeadOperation* operation)
    {
        // Sound: Inspect found a header and at least a tag in the record, and the caller vouches for the room in the destination. Every
        // field of the operation is written.
        TlsTrafficState* state = entry->Traffic;
        byte* record = entry->Source;
        operation->Source = record + TlsRecordSizes.Header;
        operation->Destination = entry->Destination;
        operation->Key = state->Key;
        operation->Length = entry->PayloadLength - AeadSizes.Tag;
        operation->AadLength = TlsRecordSizes.Header;
        operation->Direction = AeadDirection.Open;
        operation->Status = AeadStatus.Pending;
        // RFC 8446 §5.2: additional_data is the record header, as it was received.
        *(ulong*)operation->InlineAad = *(uint*)record | ((ulong)record[4] << 32);
        *(ulong*)(operation->InlineAad + sizeof(ulong)) = 0;
        state->WriteNonce(operation, state->Sequence);
        operation->UserData = 0;
        state->Sequence++;
    }

    /// <summary>Opens a record again with its connection's present key; the source is as it was received.</summary>
    /// <param name="entry">The record.</param>
    /// <param name="burst">Takes the operation.</param>
    /// <param name="engine">Opens it at once where the burst is full.</param>
    /// <param name="isFirst">Whether no record before this one waits for its evaluation.</param>
    /// <returns>Whether the record can be evaluated now; false if that must wait for the burst's next run.</returns>
    private bool OpenAgain(TlsOpenedRecord* entry, AeadBurst burst, AeadEngine engine, bool isFirst)
    {
        if (entry->HeaderOutcome != TlsOpenStatus.Pending)
        {
            entry->OpenedEpoch = entry->Traffic->Epoch;
            return isFirst;
        }
        if (burst.TryAdd(out AeadOperation* operation))
        {
            entry->OpenedEpoch = entry->Traffic->Epoch;
            entry->Operation = operation;
            Fill(entry, operation);
            return false;
        }
        // The burst is full: one by one, since a record's place in the order decides under which key it is.
        if (!isFirst)
            return false;
        entry->OpenedEpoch = entry->Traffic->Epoch;
        entry->Operation = _again;
        Fill(entry, _again);
        if (engine.InFlight == 0)
            engine.Run(_again, 1);
        else
            _again->Status = AeadStatus.BackendError;
        return true;
    }

    /// <summary>Gives a record its result: it is the first of its connection that has none.</summary>
    private static void Evaluate(TlsOpenedRecord* entry, AeadEngine engine)
    {
        if (entry->HeaderOutcome != TlsOpenStatus.Pending)
        {
            Fail(entry, entry->HeaderOutcome);
            return;
        }
        AeadOperation* operation = entry->Operation;
        if (operation->Status != AeadStatus.Success)
        {
            Fail(entry, operation->Status == AeadStatus.AuthenticationFailed ? TlsOpenStatus.BadRecordMac : TlsOpenStatus.InternalError);
            return;
        }

        // RFC 8446 §5.4: the type is the last byte that is not zero. How long the search takes shows the length of the padding only, and
        // only of a record that its tag has proved to be the peer's.
        byte* text = entry->Destination;
        int last = (int)operation->Length - 1;
        if (last >= 0 && text[last] == 0)
            last = new ReadOnlySpan<byte>(text, last).LastIndexOfAnyExcept((byte)0);
        if (last < 0)
        {
            // "If a receiving implementation does not find a non-zero octet in the cleartext, it MUST terminate … unexpected_message".
            Fail(entry, TlsOpenStatus.UnexpectedMessage);
            return;
        }
        entry->ContentLength = (uint)last;
        TlsTrafficState* state = entry->Traffic;
        if (text[last] == (byte)TlsContentType.ApplicationData && (state->PartialLength | state->SkipRemaining) == 0 && state->Use != TlsTrafficUse.ReadHandshake)
        {
            entry->Outcome = TlsOpenStatus.Opened;
            entry->Type = TlsContentType.ApplicationData;
            state->ContentBytes += (uint)last;
            return;
        }
        EvaluateOther(entry, (TlsContentType)text[last], engine);
    }

    /// <summary>Everything but application data in its place.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void EvaluateOther(TlsOpenedRecord* entry, TlsContentType type, AeadEngine engine)
    {
        TlsTrafficState* state = entry->Traffic;
        // RFC 8446 §5.1: between the records of one handshake message there must not be any other; §5.4: no empty handshake or alert.
        bool isInterleaved = type != TlsContentType.Handshake && (state->PartialLength | state->SkipRemaining) != 0;
        bool isExpected = type is TlsContentType.Handshake or TlsContentType.Alert;
        if (!isExpected || isInterleaved || entry->ContentLength == 0)
        {
            Fail(entry, TlsOpenStatus.UnexpectedMessage);
            return;
        }
        if (type == TlsContentType.Alert)
        {
            EvaluateAlert(entry);
            return;
        }
        if (state->Use is TlsTrafficUse.ReadHandshake or TlsTrafficUse.ReadEarlyData)
        {
            entry->Outcome = TlsOpenStatus.Opened;
            entry->Type = TlsContentType.Handshake;
            state->ContentBytes += entry->ContentLength;
            return;
        }
        TlsOpenStatus outcome = PostHandshake.Process(state, entry->Content, out bool isKeyUpdate);
        if (outcome != TlsOpenStatus.Handled)
        {
            Fail(entry, outcome);
            return;
        }
        // Every operation with the old key that this burst had has completed, and the records behind this one are opened again.
        if (isKeyUpdate)
            engine.Retire(state->AdvanceKey());
        if ((state->Flags & TlsTrafficFlags.GivesTickets) == 0)
        {
            Resolve(entry, TlsOpenStatus.Handled);
            return;
        }
        entry->Outcome = TlsOpenStatus.Opened;
        entry->Type = TlsContentType.Handshake;
    }

    private static void EvaluateAlert(TlsOpenedRecord* entry)
    {
        TlsTrafficState* state = entry->Traffic;
        // RFC 8446 §5.1: one whole alert in a record.
        if (entry->ContentLength != AlertLength)
        {
            Fail(entry, TlsOpenStatus.DecodeError);
            return;
        }
        // RFC 8446 §6: the level can be ignored; the description says it all.
        entry->PeerAlert = (TlsAlert)entry->Destination[1];
        switch (entry->PeerAlert)
        {
            case TlsAlert.CloseNotify:
                // RFC 8446 §6.1: "Any data received after a closure alert has been received MUST be ignored."
                state->Flags |= TlsTrafficFlags.Closed | TlsTrafficFlags.CloseNotifyReceived;
                Resolve(entry, TlsOpenStatus.CloseNotify);
                break;
            case TlsAlert.UserCanceled when state->TryCountUpdate():
                // RFC 8446 §6.1: a warning, which close_notify follows.
                Resolve(entry, TlsOpenStatus.Handled);
                break;
            case TlsAlert.UserCanceled:
                Fail(entry, TlsOpenStatus.UnexpectedMessage);
                break;
            default:
                // RFC 8446 §6.2: all others are fatal, unknown ones as well.
                state->Flags |= TlsTrafficFlags.Closed;
                Resolve(entry, TlsOpenStatus.PeerAlert);
                break;
        }
    }

    /// <summary>A record behind the end of its connection: what may have been opened is wiped.</summary>
    private static void Discard(TlsOpenedRecord* entry) => Resolve(entry, TlsOpenStatus.Ended);

    /// <summary>A record that ends its connection.</summary>
    private static void Fail(TlsOpenedRecord* entry, TlsOpenStatus outcome)
    {
        entry->Traffic->Flags |= TlsTrafficFlags.Closed;
        Resolve(entry, outcome);
    }

    /// <summary>A result without content.</summary>
    private static void Resolve(TlsOpenedRecord* entry, TlsOpenStatus outcome)
    {
        entry->Outcome = outcome;
        entry->ContentLength = 0;
        // Sound: so many bytes of the destination the operation may have written. A secret of a message that was not given out goes too.
        if (entry->Operation != null)
            NativeMemory.Clear(entry->Destination, entry->PayloadLength - AeadSizes.Tag);
    }
}
