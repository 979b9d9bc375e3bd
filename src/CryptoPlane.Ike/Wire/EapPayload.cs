using System.Buffers.Binary;

namespace CryptoPlane.Ike.Wire;

/// <summary>
/// EAP: one whole EAP packet (RFC 7296 §3.16, RFC 3748 §4): code, identifier, length, and in requests and responses a type.
/// </summary>
/// <param name="Packet">The packet, whose length field was checked.</param>
internal sealed record EapPayload(byte[] Packet) : IIkePayload
{
    private const int HeaderSize = 4;
    private const byte Request = 1, Response = 2, Success = 3, Failure = 4;

    public PayloadType Type => PayloadType.Eap;

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out EapPayload? payload)
    {
        payload = null;
        if (body.Length < HeaderSize || BinaryPrimitives.ReadUInt16BigEndian(body[2..]) != body.Length)
            return IkeParseError.BadEap;
        bool isWellFormed = body[0] switch
        {
            Request or Response => body.Length > HeaderSize,
            Success or Failure => body.Length == HeaderSize,
            _ => false,
        };
        if (!isWellFormed)
            return IkeParseError.BadEap;
        payload = new EapPayload(body.ToArray());
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer) => writer.WriteBytes(Packet);
}
