namespace CryptoPlane.Ike.Session;

/// <summary>
/// The peer's requests: which message ID comes next, and what was answered to the one before it. Our window is 1, so the peer may repeat
/// that one only, and gets the same bytes (RFC 7296 §2.1, §2.3).
/// </summary>
internal sealed class ResponseWindow
{
    /// <summary>The message ID of the next new request.</summary>
    public uint Expected { get; private set; }

    /// <summary>The answer to the request before; empty where there was none.</summary>
    public IReadOnlyList<byte[]> Last { get; private set; } = [];

    /// <summary>Whether the message ID is that of the request answered last.</summary>
    public bool IsRepeated(uint messageId) => Last.Count != 0 && messageId == Expected - 1;

    /// <summary>The expected request was answered.</summary>
    public void Answered(IReadOnlyList<byte[]> response)
    {
        Expected++;
        Last = response;
    }
}
