namespace CryptoPlane.Esp;

/// <summary>What a UDP datagram on an ESP port carries.</summary>
public enum UdpPayloadKind : byte
{
    /// <summary>Too short to be anything of the others.</summary>
    Malformed = 0,

    /// <summary>An ESP packet: the first four bytes are its SPI.</summary>
    Esp = 1,

    /// <summary>IKE, behind the non-ESP marker of four zero bytes.</summary>
    NonEsp = 2,

    /// <summary>A NAT-keepalive.</summary>
    Keepalive = 3,
}

/// <summary>ESP in UDP (RFC 3948), where IKE shares the port.</summary>
public static unsafe class UdpEncapsulation
{
    /// <summary>Bytes of the non-ESP marker, all zero, before an IKE message (RFC 3948 §2.2).</summary>
    public const int NonEspMarkerSize = 4;

    /// <summary>The only byte of a NAT-keepalive (RFC 3948 §2.3).</summary>
    public const byte KeepaliveByte = 0xFF;

    /// <summary>Tells ESP, IKE and keepalives apart by a datagram's payload.</summary>
    public static UdpPayloadKind Classify(ReadOnlySpan<byte> payload)
    {
        fixed (byte* data = payload)
            return Classify(data, payload.Length);
    }

    /// <inheritdoc cref="Classify(ReadOnlySpan{byte})"/>
    internal static UdpPayloadKind Classify(byte* payload, int length)
    {
        if (length == 1 && *payload == KeepaliveByte)
            return UdpPayloadKind.Keepalive;
        if (length < NonEspMarkerSize)
            return UdpPayloadKind.Malformed;
        return *(uint*)payload == 0 ? UdpPayloadKind.NonEsp : UdpPayloadKind.Esp;
    }
}
