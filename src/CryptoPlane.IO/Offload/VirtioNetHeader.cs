using System.Runtime.InteropServices;

namespace CryptoPlane.IO.Offload;

/// <summary>
/// struct virtio_net_hdr: what the kernel and a TUN reader tell each other about a packet's unfinished checksum and segmentation.
/// Fields are in the host's byte order (the device's default).
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 2)]
internal struct VirtioNetHeader
{
    public const int Size = 10;

    /// <summary>Flag: the field at ChecksumStart + ChecksumOffset holds the pseudo-header's sum; the rest is to be added.</summary>
    public const byte NeedsChecksum = 1;

    public const byte GsoNone = 0, GsoTcp4 = 1, GsoTcp6 = 4, GsoUdp = 5, GsoEcn = 0x80;

    public byte Flags;
    public byte GsoType;

    /// <summary>Bytes of all headers: a hint, which the kernel itself does not trust.</summary>
    public ushort HeaderLength;

    /// <summary>Payload bytes of each packet but the last.</summary>
    public ushort SegmentSize;

    /// <summary>Where the checksummed part (the transport header) begins.</summary>
    public ushort ChecksumStart;

    /// <summary>Where in that part the checksum field lies.</summary>
    public ushort ChecksumOffset;
}
