using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace CryptoPlane.Ike;

/// <summary>
/// IKEv2 between us and any number of peers, without sockets, clock or thread. On one control thread, by anything of:
/// <list type="bullet">
/// <item>what it knows: <see cref="NextTimeout"/>, <see cref="Report"/>, <see cref="ReportGate"/>;</item>
/// <item>what happened to it: <see cref="HandleDatagram"/>, <see cref="HandleTimeout"/>, <see cref="HandleTraffic"/>,
/// <see cref="HandleLifetime"/>;</item>
/// <item>what somebody wants: <see cref="SetConnections"/>, <see cref="Initiate"/>, <see cref="Terminate"/>, <see cref="Rekey"/>;</item>
/// </list>
/// and after each of these, until they have nothing more: <see cref="TryPollTransmit"/> and <see cref="TryPollEvent"/>. Then it sleeps
/// until <see cref="NextTimeout"/> or a datagram.
/// </summary>
/// <remarks>
/// Times are milliseconds of one monotonic clock, and never go back. What a peer sends makes no method throw. The interface exists so
/// that a driver can be tested against an endpoint of its own; <c>IkeEndpoint</c> is the one that speaks IKE.
/// </remarks>
public interface IIkeEndpoint : IDisposable
{
    /// <summary>
    /// When <see cref="HandleTimeout"/> wants to be called; <see cref="long.MaxValue"/>: not at all. It may change with every call.
    /// </summary>
    long NextTimeout { get; }

    /// <summary>All IKE SAs, for status. It costs as much as there are.</summary>
    IReadOnlyList<IkeSaReport> Report();

    /// <summary>What became of the requests of strangers.</summary>
    IkeGateReport ReportGate();

    /// <summary>A datagram came in.</summary>
    /// <param name="local">The address and port that it came to. The port tells 500 from 4500.</param>
    /// <param name="remote">Where it came from.</param>
    /// <param name="message">The IKE message, without the non-ESP marker that it has on port 4500.</param>
    /// <param name="now">The time.</param>
    void HandleDatagram(IPEndPoint local, IPEndPoint remote, ReadOnlySpan<byte> message, long now);

    /// <summary>Time has passed: sends again, rekeys, gives up, whatever is due.</summary>
    void HandleTimeout(long now);

    /// <summary>
    /// ESP came in on a child SA: the peer lives (RFC 7296 §2.4), and it has begun to use the SA. To be told now and then, and at once for
    /// the first packet on an SA that replaces another.
    /// </summary>
    /// <param name="child">The child SA; one that is gone is ignored.</param>
    /// <param name="lastInbound">When the last packet came in.</param>
    void HandleTraffic(ChildSaId child, long lastInbound);

    /// <summary>A child SA has used up its packets or bytes. Lifetimes in time are the endpoint's own.</summary>
    /// <param name="child">The child SA; one that is gone is ignored.</param>
    /// <param name="hard">False: it is to be rekeyed. True: it may carry nothing more, and is deleted.</param>
    /// <param name="now">The time.</param>
    void HandleLifetime(ChildSaId child, bool hard, long now);

    /// <summary>
    /// Other connections. What is the same object as before stays as it is; IKE SAs of a connection that is gone or another object now are
    /// deleted, and what has <see cref="IkeStartAction.Start"/> begins.
    /// </summary>
    /// <exception cref="ArgumentException">A connection contradicts itself, or two have one name; then nothing has changed.</exception>
    void SetConnections(IReadOnlyList<IkeConnection> connections, long now);

    /// <summary>Brings a connection up: an IKE SA, and all of its children; what is up already stays.</summary>
    /// <exception cref="ArgumentException">There is no such connection, or it names no local address and single remote one.</exception>
    void Initiate(string connection, long now);

    /// <summary>
    /// Deletes all IKE SAs of a connection. One that has <see cref="IkeStartAction.Start"/> stays down until <see cref="Initiate"/>.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such connection.</exception>
    void Terminate(string connection, long now);

    /// <summary>Deletes one IKE SA, of several users of a connection for example.</summary>
    /// <param name="ikeSa">Its local SPI; one that is gone is ignored.</param>
    /// <param name="now">The time.</param>
    void TerminateSa(ulong ikeSa, long now);

    /// <summary>Rekeys a connection's child SAs, or its IKE SAs.</summary>
    /// <param name="connection">The connection's name.</param>
    /// <param name="ikeSa">True: the IKE SAs; false: the child SAs.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="ArgumentException">There is no such connection.</exception>
    void Rekey(string connection, bool ikeSa, long now);

    /// <summary>Takes the next datagram to send.</summary>
    bool TryPollTransmit([NotNullWhen(true)] out IkeDatagram? datagram);

    /// <summary>Takes the next event.</summary>
    bool TryPollEvent([NotNullWhen(true)] out IkeEvent? e);
}
