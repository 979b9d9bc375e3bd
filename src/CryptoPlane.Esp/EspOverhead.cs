using CryptoPlane.Aead;
using CryptoPlane.Cbc;

namespace CryptoPlane.Esp;

/// <summary>Sizes of ESP, in bytes, and how large an inner packet may be in tunnel mode with the AEADs of the engine.</summary>
public static class EspOverhead
{
    /// <summary>SPI and sequence number.</summary>
    public const int Header = 8;

    /// <summary>The explicit IV (RFC 4106 §3.1, RFC 7634 §2).</summary>
    public const int Iv = 8;

    /// <summary>Pad length and next header.</summary>
    public const int Trailer = 2;

    /// <summary>The integrity check value.</summary>
    public const int Icv = AeadSizes.Tag;

    /// <summary>A UDP header.</summary>
    public const int Udp = 8;

    /// <summary>An IPv4 header without options.</summary>
    public const int IPv4 = 20;

    /// <summary>An IPv6 header.</summary>
    public const int IPv6 = 40;

    /// <summary>The IV of AES-CBC (RFC 3602 §3), and the unit that its ciphertext fills.</summary>
    public const int CbcIv = CbcHmacKey.Block;

    /// <summary>Headroom that an inner packet needs at most: outer IPv6, UDP, ESP header and the longer IV.</summary>
    public const int MaxHeadroom = IPv6 + Udp + Header + CbcIv;

    /// <summary>Tailroom that an inner packet needs at most, unless it is padded to a length: padding of AES-CBC, trailer and ICV.</summary>
    public const int MaxTailroom = CbcIv - 1 + Trailer + Icv;

    /// <summary>Shortest ESP packet that can be right: header, IV, four bytes of padding and trailer, ICV.</summary>
    public const int MinimumPacket = Header + Iv + 4 + Icv;

    /// <summary>Length of the ESP packet, without outer IP and UDP headers, that carries an inner packet of the given length.</summary>
    public static int EspLength(int innerLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(innerLength);
        return Header + Iv + innerLength + Padding(innerLength) + Trailer + Icv;
    }

    /// <summary>Largest inner packet whose outer packet fits the path's MTU.</summary>
    /// <param name="outerMtu">MTU of the path between the peers, counted from the outer IP header.</param>
    /// <param name="outerIPv6">Whether the outer packet is IPv6.</param>
    /// <param name="udp">Whether ESP is encapsulated in UDP.</param>
    /// <returns>Bytes of the inner packet from its IP header on; 0 when not even an IPv4 header fits.</returns>
    public static int MaxInnerPacket(int outerMtu, bool outerIPv6, bool udp)
    {
        int room = outerMtu - (outerIPv6 ? IPv6 : IPv4) - (udp ? Udp : 0) - Header - Iv - Icv;
        // RFC 4303 §2.4: inner packet, padding and trailer fill whole words.
        int inner = (room & ~3) - Trailer;
        return inner < IPv4 ? 0 : inner;
    }

    /// <summary>Bytes of padding behind an inner packet, so that the trailer ends on a word (RFC 4303 §2.4).</summary>
    internal static int Padding(int innerLength) => -(innerLength + Trailer) & 3;
}
