using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Tls.Dtls;

/// <summary>A record of a burst, as <see cref="DtlsRecordReader"/> lists it.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DtlsOpenedRecord
{
    internal DtlsTrafficState* Traffic;
    internal byte* Text;
    internal AeadOperation* Operation;
    internal ulong Number;
    internal ulong CallerData;
    internal uint ContentLength;
    internal byte ContentType;
    internal DtlsOpenStatus Outcome;

    /// <summary>What became of the record.</summary>
    public readonly DtlsOpenStatus Status => Outcome;

    /// <summary>The content, where it lay sealed.</summary>
    public readonly byte* Data => Text;

    /// <summary>Bytes of content; 0 unless the status is <see cref="DtlsOpenStatus.Opened"/> or <see cref="DtlsOpenStatus.Handshake"/>.</summary>
    public readonly int Length => (int)ContentLength;

    /// <summary>The content.</summary>
    public readonly ReadOnlySpan<byte> Content => new(Text, (int)ContentLength);

    /// <summary>The record's sequence number.</summary>
    public readonly ulong Sequence => Number;

    /// <summary>The state that opened it.</summary>
    public readonly DtlsTrafficState* State => Traffic;

    /// <summary>What the caller gave with the record.</summary>
    public readonly ulong UserData => CallerData;

    /// <summary>Whether the record was dropped.</summary>
    public readonly bool IsDropped => Outcome >= DtlsOpenStatus.Malformed;
}
