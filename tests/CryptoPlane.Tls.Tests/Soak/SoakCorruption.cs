using System.Buffers.Binary;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Soak;

/// <summary>What somebody without keys does to records on the wire.</summary>
internal static unsafe class SoakCorruption
{
    /// <summary>Kinds of it.</summary>
    public const int Kinds = 6;

    /// <summary>Spoils one of the whole records on the wire, and notes which alert answers it.</summary>
    /// <returns>False if there is none, or no room.</returns>
    public static bool TryApply(SoakDirection* direction, int kind, Random random)
    {
        int count = 0, end = 0;
        while (TlsRecordHeader.TryParse(direction->OnWire[end..], isProtected: true, out TlsRecordHeader header) == TlsRecordHeaderStatus.Complete)
        {
            end += header.RecordLength;
            count++;
        }
        // What is changed must be seen to be changed: a record behind it is then out of its turn.
        int which = count < 2 ? -1 : random.Next(count - 1);
        if (which < 0)
            return false;
        Span<byte> record = Find(direction, which, out int offset);
        direction->ExpectedAlert = TlsAlert.BadRecordMac;
        direction->MayBeOtherAlert = false;
        switch (kind)
        {
            case 0:
                record[random.Next(TlsRecordSizes.Header, record.Length)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                byte type = (byte)random.Next(256);
                record[0] = type is (byte)TlsContentType.ApplicationData or (byte)TlsContentType.ChangeCipherSpec ? (byte)TlsContentType.Handshake : type;
                direction->ExpectedAlert = TlsAlert.UnexpectedMessage;
                break;
            case 2:
                // A length that lies: too long for a record, or for this one, or too short.
                int length = record.Length - TlsRecordSizes.Header, lie = random.Next(3) == 0 ? random.Next(0x10000) : random.Next(2 * length);
                BinaryPrimitives.WriteUInt16BigEndian(record[3..], (ushort)(lie == length ? length + 1 : lie));
                direction->MayBeOtherAlert = true;
                break;
            case 3:
                // Lost.
                direction->OnWire[(offset + record.Length)..].CopyTo(direction->OnWire[offset..]);
                direction->Filled -= record.Length;
                break;
            case 4:
                // Doubled.
                if (direction->Filled + record.Length > SoakDirection.WireSize - SoakDirection.Reserve)
                    return false;
                direction->Filled += record.Length;
                direction->OnWire[offset..^record.Length].CopyTo(direction->OnWire[(offset + record.Length)..]);
                break;
            default:
                // Swapped with the next.
                int second = Find(direction, which + 1, out _).Length;
                Span<byte> both = direction->OnWire.Slice(offset, record.Length + second);
                both.Reverse();
                both[..second].Reverse();
                both[second..].Reverse();
                break;
        }
        direction->Visible = Math.Min(direction->Visible, direction->Filled);
        direction->IsCorrupted = true;
        return true;
    }

    private static Span<byte> Find(SoakDirection* direction, int which, out int offset)
    {
        offset = 0;
        TlsRecordHeader header;
        while (true)
        {
            TlsRecordHeader.TryParse(direction->OnWire[offset..], isProtected: true, out header);
            if (which-- == 0)
                return direction->OnWire.Slice(offset, header.RecordLength);
            offset += header.RecordLength;
        }
    }
}
