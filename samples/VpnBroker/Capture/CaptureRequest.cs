namespace VpnBroker.Capture;

/// <summary>What <c>broker capture</c> asks for, on the control socket.</summary>
/// <param name="Ports">The names of ports, as <c>broker status</c> shows them.</param>
/// <param name="Inner">Inner packets, and those that were dropped: users' traffic in clear.</param>
/// <param name="All">
/// All ports; those with users' traffic in clear, and inner packets, only if that is allowed and <paramref name="Acknowledged"/>.
/// </param>
/// <param name="Lcore">One lcore; null for all.</param>
/// <param name="Filter">The filter's text; null for everything.</param>
/// <param name="Snap">Bytes that are kept of a packet.</param>
/// <param name="Packets">The capture ends after so many packets,</param>
/// <param name="Seconds">or so many seconds,</param>
/// <param name="Bytes">or before the file is longer than so many bytes.</param>
/// <param name="Sample">One packet in so many is kept.</param>
/// <param name="Acknowledged">Whether the operator has said that they know what they will see.</param>
public sealed record CaptureRequest(
    IReadOnlyList<string>? Ports = null,
    bool Inner = false,
    bool All = false,
    int? Lcore = null,
    string? Filter = null,
    int Snap = CaptureRequest.StandardSnap,
    long Packets = CaptureRequest.StandardPackets,
    int Seconds = CaptureRequest.StandardSeconds,
    long Bytes = CaptureRequest.StandardBytes,
    int Sample = 1,
    bool Acknowledged = false)
{
    /// <summary>Packets, when nothing else is said.</summary>
    public const long StandardPackets = 10_000;

    /// <summary>Seconds, when nothing else is said.</summary>
    public const int StandardSeconds = 60;

    /// <summary>Bytes of the file, when nothing else is said.</summary>
    public const long StandardBytes = 64L << 20;

    /// <summary>Bytes of a packet, when nothing else is said: all of them.</summary>
    public const int StandardSnap = 65_535;
}

/// <summary>A capture that is not made; the message says why and what to do.</summary>
public sealed class CaptureRefusedException(string message) : Exception(message);

/// <summary>How a capture stands; with <see cref="Reason"/> when it has ended.</summary>
/// <param name="Captured">Packets in the file.</param>
/// <param name="Missed">Packets that are not in it because they came faster than they could be written.</param>
/// <param name="Bytes">The file's length so far.</param>
/// <param name="Reason">Why it ended; null while it runs.</param>
public sealed record CaptureProgress(long Captured, long Missed, long Bytes, string? Reason = null);
