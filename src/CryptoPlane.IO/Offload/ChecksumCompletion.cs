using System.Runtime.CompilerServices;

namespace CryptoPlane.IO.Offload;

/// <summary>Finishes the checksum of a packet that the kernel left to its (virtual) hardware.</summary>
internal static unsafe class ChecksumCompletion
{
    /// <summary>Completes the checksum in place if the virtio header asks for it.</summary>
    /// <returns>False if the header points outside the packet.</returns>
    public static bool TryComplete(in VirtioNetHeader header, byte* packet, int length)
    {
        if ((header.Flags & VirtioNetHeader.NeedsChecksum) == 0)
            return true;
        int start = header.ChecksumStart;
        int field = start + header.ChecksumOffset;
        if (start >= length || field + 2 > length)
            return false;
        // The field holds the pseudo-header's sum, so summing over it adds exactly what is missing.
        ushort checksum = InternetChecksum.Complement(InternetChecksum.Sum(packet + start, length - start));
        // RFC 768: a computed zero is sent as all ones; zero would say that there is no checksum.
        if (checksum == 0 && header.ChecksumOffset == HeaderFields.UdpChecksum)
            checksum = 0xFFFF;
        Unsafe.WriteUnaligned(packet + field, checksum);
        return true;
    }
}
