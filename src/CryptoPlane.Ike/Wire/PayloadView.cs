namespace CryptoPlane.Ike.Wire;

/// <summary>One payload in a message, seen where it lies. Its length was checked; its body was not looked at.</summary>
/// <param name="type">What it is.</param>
/// <param name="nextPayload">What comes after it; in an Encrypted payload, the first of the payloads within.</param>
/// <param name="isCritical">A receiver that does not know the type must refuse the message (RFC 7296 §3.2).</param>
/// <param name="offset">Where its generic header begins, in bytes from the start of the chain.</param>
/// <param name="body">What follows the generic header.</param>
internal readonly ref struct PayloadView(PayloadType type, PayloadType nextPayload, bool isCritical, int offset, ReadOnlySpan<byte> body)
{
    /// <summary>Length in bytes of the generic payload header.</summary>
    public const int HeaderSize = 4;

    public readonly PayloadType Type = type;
    public readonly PayloadType NextPayload = nextPayload;
    public readonly bool IsCritical = isCritical;
    public readonly int Offset = offset;
    public readonly ReadOnlySpan<byte> Body = body;
}
