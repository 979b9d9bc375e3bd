namespace CryptoPlane.Ike.Wire;

/// <summary>Whether a chain of payloads was understood, and if not, why and at which payload.</summary>
internal readonly record struct IkeParseResult(IkeParseError Error, PayloadType Payload)
{
    public static IkeParseResult Ok => default;

    public bool IsOk => Error == IkeParseError.None;

    /// <summary>
    /// The notification that answers this failure, or null: UNSUPPORTED_CRITICAL_PAYLOAD with the payload's type, INVALID_SYNTAX
    /// without data.
    /// </summary>
    public NotifyPayload? ToNotify() => Error.ToNotify() switch
    {
        null => null,
        NotifyType.UnsupportedCriticalPayload => NotifyPayload.UnsupportedCriticalPayload(Payload),
        NotifyType type => new NotifyPayload(type),
    };
}
