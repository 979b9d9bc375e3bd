namespace CryptoPlane.Ike.Wire;

/// <summary>What parse errors mean to the peer.</summary>
internal static class IkeParseErrors
{
    /// <summary>The notification that tells the peer of <paramref name="error"/>; null: there is no answer to such a message.</summary>
    public static NotifyType? ToNotify(this IkeParseError error) => error switch
    {
        IkeParseError.None or IkeParseError.ObsoleteMajorVersion or IkeParseError.BadFragment or IkeParseError.BadEncryptedPayload => null,
        IkeParseError.UnsupportedMajorVersion => NotifyType.InvalidMajorVersion,
        IkeParseError.UnsupportedCriticalPayload => NotifyType.UnsupportedCriticalPayload,
        // RFC 7296 §3.10.1: a message of which any field is out of range or malformed.
        _ => NotifyType.InvalidSyntax,
    };
}
