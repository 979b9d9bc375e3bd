namespace VpnBroker.Audit;

/// <summary>An audit record of a packet capture: who asked for what, and what came of it.</summary>
/// <param name="UserId">The operator's user id, as the kernel noted it.</param>
/// <param name="ProcessId">The process that asked.</param>
/// <param name="Points">What was to be captured.</param>
/// <param name="Filter">The filter, or null.</param>
/// <param name="Decrypted">Whether users' traffic is seen in clear.</param>
/// <param name="Success">Whether it was granted.</param>
/// <param name="Reason">Why not, or why it ended; null at its beginning.</param>
public readonly record struct CaptureAudit(uint UserId, int ProcessId, string Points, string? Filter, bool Decrypted, bool Success, string? Reason)
{
    /// <summary>Packets that were captured; null before the end.</summary>
    public long? Captured { get; init; }
}
