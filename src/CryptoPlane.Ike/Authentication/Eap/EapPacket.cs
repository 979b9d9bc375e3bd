using System.Buffers.Binary;

namespace CryptoPlane.Ike.Authentication.Eap;

/// <summary>EAP packets (RFC 3748 §4).</summary>
internal static class EapPacket
{
    public const byte RequestCode = 1, ResponseCode = 2, SuccessCode = 3, FailureCode = 4;
    public const byte IdentityType = 1, MsChapV2Type = 26;

    private const int HeaderLength = 4;

    /// <summary>Makes a request.</summary>
    public static byte[] Request(byte identifier, byte type, ReadOnlySpan<byte> data)
    {
        byte[] packet = new byte[HeaderLength + 1 + data.Length];
        WriteHeader(packet, RequestCode, identifier);
        packet[HeaderLength] = type;
        data.CopyTo(packet.AsSpan(HeaderLength + 1));
        return packet;
    }

    /// <summary>Makes a Success or a Failure.</summary>
    public static byte[] Result(byte code, byte identifier)
    {
        byte[] packet = new byte[HeaderLength];
        WriteHeader(packet, code, identifier);
        return packet;
    }

    /// <summary>Reads a peer's response.</summary>
    /// <param name="packet">Untrusted, of any length.</param>
    /// <param name="identifier">That of the request, which the response must repeat.</param>
    /// <param name="type">The type that was asked for; another one (a Nak among them) is refused.</param>
    /// <param name="data">What follows the type.</param>
    public static bool TryReadResponse(ReadOnlySpan<byte> packet, byte identifier, byte type, out ReadOnlySpan<byte> data)
    {
        data = default;
        if (packet.Length <= HeaderLength || packet[0] != ResponseCode || packet[1] != identifier
            || BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) != packet.Length || packet[HeaderLength] != type)
            return false;
        data = packet[(HeaderLength + 1)..];
        return true;
    }

    private static void WriteHeader(byte[] packet, byte code, byte identifier)
    {
        packet[0] = code;
        packet[1] = identifier;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), checked((ushort)packet.Length));
    }
}
