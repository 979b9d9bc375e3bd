using System.Net.Sockets;
using CryptoPlane.Flows.Sessions;
using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>
/// The data plane as the control plane sees it. Every member may be called from any control thread; the data plane turns calls
/// into blittable messages that one supervisor thread puts on the lcores' rings.
/// </summary>
/// <remarks>
/// It is started with <c>DataPlaneHost.Start(BrokerConfig config, IReadOnlyList&lt;SequenceRange&gt; outboundRanges, ILoggerFactory
/// loggers)</c>: the ranges are in the order of <see cref="EspSaOrder"/> and already on disk.
/// </remarks>
public interface IDataPlane
{
    /// <summary>How many lcores there are.</summary>
    int LcoreCount { get; }

    /// <summary>
    /// Called once for every tunnel that was attached, when it has ended and its socket is closed; set before the first attach.
    /// It runs on the supervisor thread and must not block.
    /// </summary>
    Action<TunnelEnded>? TunnelEnded { get; set; }

    /// <summary>
    /// Gives a user's connection to its home lcore. From the call on the data plane owns the socket and the native block, also when
    /// it fails. A tunnel that already has the same inner address is ended with <see cref="TunnelEndReason.Replaced"/>, in the same
    /// step, and without telling the client (it is the client that made the new connection). Calls take effect in the order in which
    /// they were made.
    /// </summary>
    /// <returns>A task that completes when the lcore has taken the tunnel.</returns>
    /// <exception cref="InvalidOperationException">The data plane is stopping, or the lcore has no room for another tunnel.</exception>
    Task AttachUserAsync(UserTunnelRequest request);

    /// <summary>
    /// The UDP sockets for handshakes of users' data channels: they get what is not protected yet, and send from the port that the lcores' sockets
    /// have. Open until the data plane stops, not blocking; empty where no DTLS is offered.
    /// </summary>
    IReadOnlyList<Socket> DtlsSockets => [];

    /// <summary>
    /// Gives a tunnel a data channel, in place of the one it has. From the call on the data plane owns the native block, also when it fails.
    /// </summary>
    /// <returns>A task that completes when the lcore is ready for the client's datagrams; false when the tunnel has ended.</returns>
    Task<bool> AttachDtlsAsync(DtlsChannelRequest request) => throw new NotSupportedException("This data plane has no DTLS.");

    /// <summary>Ends a tunnel: the client gets a CSTP DISCONNECT or TERMINATE, then the connection is closed.</summary>
    /// <returns>A task that completes when the lcore has let the tunnel go; true when it existed.</returns>
    Task<bool> DetachUserAsync(ulong tunnelId, TunnelEndReason reason);

    /// <summary>The counters of now: read without stopping an lcore, so they may differ by the packets of an instant.</summary>
    /// <param name="includeTunnels">Whether <see cref="DataPlaneStatus.Tunnels"/> is filled.</param>
    Task<DataPlaneStatus> GetStatusAsync(bool includeTunnels);

    /// <summary>The next sequence number of each outbound SA: cheap enough to be asked every few milliseconds.</summary>
    /// <param name="positions">Receives one value for each outbound SA, in the order of <see cref="EspSaOrder"/>.</param>
    void ReadSequencePositions(Span<ulong> positions);

    /// <summary>Lets an outbound SA use sequence numbers below <paramref name="limit"/>, which is on disk by now.</summary>
    /// <param name="outboundSa">The SA's index in the order of <see cref="EspSaOrder"/>.</param>
    /// <param name="limit">First sequence number that is not reserved; not below an earlier limit.</param>
    Task RaiseSequenceLimitAsync(int outboundSa, ulong limit);

    /// <summary>Takes the pairs of SAs that IKE negotiates; null for a data plane that has no place for them.</summary>
    IEspChildren? Children => null;

    /// <summary>
    /// IKE's sockets on UDP port 4500, one for each address of <c>ipsec.listen</c>: they get what begins with a zero byte, and send from the
    /// port that ESP is sent from. Open until the data plane stops, not blocking.
    /// </summary>
    IReadOnlyList<Socket> IkeSockets => [];

    /// <summary>IKE's datagrams that lcores have received; null where there are no lcores' sockets beside IKE's.</summary>
    IStrayIke? StrayIke => null;

    /// <summary>Where packets can be captured.</summary>
    IReadOnlyList<CapturePoint> CapturePoints { get; }

    /// <summary>Begins a capture; it goes on until it is disposed of.</summary>
    /// <exception cref="InvalidOperationException">A capture is running, or the data plane is stopping.</exception>
    /// <exception cref="OutOfMemoryException">There is no memory for the rings.</exception>
    Task<IDataPlaneCapture> StartCaptureAsync(CapturePlan plan);

    /// <summary>
    /// What the lcores say of sessions that have ended or go on, a ring of each lcore: the caller's exporter is their only consumer. A full
    /// ring costs records, which are counted, and never holds an lcore up. Empty where nobody is configured to read them. The last records come
    /// while the data plane stops: the consumer disposes of the rings when it has read them after that.
    /// </summary>
    IReadOnlyList<FlowRecordRing> FlowRecords => [];

    /// <summary>Takes what rules with <c>log: true</c> have decided since the last call.</summary>
    /// <returns>The decisions, in each lcore's order, and how many were left out since the start, because there were too many.</returns>
    Task<(IReadOnlyList<PolicyDecision> Decisions, ulong Suppressed)> TakePolicyLogAsync() =>
        Task.FromResult<(IReadOnlyList<PolicyDecision>, ulong)>(([], 0));

    /// <summary>Shows the sessions that a filter takes, lcore after lcore; one reading at a time, others wait. No lcore waits for it.</summary>
    /// <param name="filter">Which sessions.</param>
    /// <param name="take">Is called for each of them, one after the other.</param>
    /// <exception cref="InvalidOperationException">The data plane is stopping.</exception>
    Task ReadFlowsAsync(FlowFilter filter, Action<FlowView> take) => Task.CompletedTask;

    /// <summary>The names of the ESP tunnels that there are now, by the numbers that sessions have for them.</summary>
    Task<IReadOnlyDictionary<int, string>> GetEspTunnelNamesAsync() =>
        Task.FromResult<IReadOnlyDictionary<int, string>>(new Dictionary<int, string>());

    /// <summary>What numbers in flow records stand for now.</summary>
    Task<FlowLabels> GetFlowLabelsAsync() => Task.FromResult(FlowLabels.None);

    /// <summary>Gives every lcore the immutable snapshot of a new configuration; tunnels survive.</summary>
    Task ApplyAsync(BrokerConfig config);

    /// <summary>Ends all tunnels (the clients are told) and stops the lcores.</summary>
    /// <param name="deadline">After this time connections that could not be told are closed all the same.</param>
    Task StopAsync(TimeSpan deadline);
}
