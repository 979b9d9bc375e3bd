using CryptoPlane.Capture;
using CryptoPlane.Ports;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>A place where packets can be captured, on one lcore or several.</summary>
/// <param name="Number">Its number in <see cref="CaptureRecord.Point"/>.</param>
/// <param name="Name"><c>inner</c>, <c>dropped</c>, or the name of a port as in <see cref="DevicePortStatus.Name"/>.</param>
/// <param name="Lcores">The lcores that it is on.</param>
public sealed record CapturePoint(int Number, string Name, IReadOnlyList<int> Lcores)
{
    /// <summary>The point of inner packets: behind opening and before sealing.</summary>
    public const int Inner = 0;

    /// <summary>The point of inner packets that go no further.</summary>
    public const int Dropped = 1;

    /// <summary>Users' connections, sealed: named like a port.</summary>
    public const int Tls = 2;

    /// <summary>Ports, and what is named like one, are numbered from here.</summary>
    public const int FirstPort = Tls;

    /// <summary>Whether users' traffic passes here in clear.</summary>
    public bool ShowsUsersTraffic { get; init; }

    /// <summary>What the packets in a capture file begin with.</summary>
    public PcapngLinkType LinkType { get; init; } = PcapngLinkType.Raw;

    /// <summary>The port's local end, for the outer headers that the kernel keeps.</summary>
    public PacketEndpoint Local { get; init; }

    /// <summary>What the port gives and takes.</summary>
    public string? Description { get; init; }
}

/// <summary>What is to be captured.</summary>
public sealed record CapturePlan
{
    /// <summary>The points' numbers.</summary>
    public required IReadOnlyList<int> Points { get; init; }

    /// <summary>The lcores.</summary>
    public required IReadOnlyList<int> Lcores { get; init; }

    /// <summary>Which packets.</summary>
    public CaptureFilter Filter { get; init; }

    /// <summary>Bytes that are kept of each, at most.</summary>
    public int SnapLength { get; init; } = 65_535;

    /// <summary>One in so many is kept.</summary>
    public int SampleEvery { get; init; } = 1;
}

/// <summary>A capture that runs: one ring for each lcore. Disposing of it stops it and zeroes the rings.</summary>
public interface IDataPlaneCapture : IAsyncDisposable
{
    /// <summary>The rings, by lcore; read by one thread.</summary>
    IReadOnlyList<(int Lcore, CaptureRing Ring)> Rings { get; }

    /// <summary>Ends it on the lcores; what is in the rings may still be read.</summary>
    Task StopAsync();
}

/// <summary>What <see cref="CaptureRecord.Subject"/> and <see cref="CaptureRecord.Note"/> mean in this data plane.</summary>
public static class CaptureNotes
{
    private const int KindShift = 56;
    private const ulong Session = 1, EspTunnel = 2;

    /// <summary>A user's session.</summary>
    public static ulong OfSession(ulong session) => (Session << KindShift) | session;

    /// <summary>An ESP tunnel, by its number in the configuration.</summary>
    public static ulong OfEspTunnel(int tunnel) => (EspTunnel << KindShift) | (uint)tunnel;

    /// <summary>Whether a subject is a session, and which.</summary>
    public static bool TryGetSession(ulong subject, out ulong session)
    {
        session = subject & ((1UL << KindShift) - 1);
        return subject >> KindShift == Session;
    }

    /// <summary>Whether a subject is an ESP tunnel, and which.</summary>
    public static bool TryGetEspTunnel(ulong subject, out int tunnel)
    {
        tunnel = (int)(uint)subject;
        return subject >> KindShift == EspTunnel;
    }

    /// <summary>The name of the drop reason that a note says; null for none.</summary>
    public static string? DropReasonOf(ushort note) =>
        note is > 0 and < (ushort)Counters.DropReason.Count ? Counters.DropReasonNames.Of((Counters.DropReason)note) : null;
}
