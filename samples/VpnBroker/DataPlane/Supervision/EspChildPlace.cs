using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Esp;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>A negotiated pair of SAs, as the supervisor knows it. Supervisor's thread.</summary>
/// <remarks>
/// The SAs are the lcore's; the supervisor reads their counters until it posts their removal, which is what ends their life. Their slots in the
/// arena stay mapped in any case.
/// </remarks>
internal sealed unsafe class EspChildPlace(EspChildRequest request, NegotiatedTunnel tunnel, int port)
{
    /// <summary>What was asked for; its keys are zeroed.</summary>
    public EspChildRequest Request => request;

    /// <summary>The tunnel that it belongs to.</summary>
    public NegotiatedTunnel Tunnel => tunnel;

    /// <summary>Which of the lcore's ESP ports carries it.</summary>
    public int Port => port;

    /// <summary>As in <see cref="EspPairs.UserOf"/>.</summary>
    public EspPairUser User { get; init; }

    public InboundSa* Inbound { get; set; }

    public OutboundSa* Outbound { get; set; }

    /// <summary>The local selectors, for the lcore.</summary>
    public InnerRange* Sources { get; private set; }

    /// <summary>Whether the selectors name protocols or ports.</summary>
    public bool AsksSa { get; } = request.LocalSelectors.Concat(request.RemoteSelectors)
        .Any(selector => (selector.Protocol, selector.FirstPort, selector.LastPort) != (0, 0, ushort.MaxValue));

    public int SourceCount => request.LocalSelectors.Count;

    /// <summary>The peer's outer end.</summary>
    public IPEndPoint Remote { get; set; } = request.Remote;

    /// <summary>Puts the local selectors where the lcore can read them.</summary>
    public void AllocateSources()
    {
        Sources = (InnerRange*)NativeMemory.Alloc((nuint)Math.Max(1, SourceCount), (nuint)sizeof(InnerRange));
        for (int i = 0; i < SourceCount; i++)
            Sources[i] = new InnerRange(InnerAddress.From(request.LocalSelectors[i].FirstAddress), InnerAddress.From(request.LocalSelectors[i].LastAddress));
    }

    /// <summary>Frees the selectors; the lcore has said that it uses the pair no more.</summary>
    public void FreeSources()
    {
        NativeMemory.Free(Sources);
        Sources = null;
    }

    /// <summary>What the pair has carried.</summary>
    public EspActivity ReadActivity() => new(
        request.InboundSpi, Inbound->Packets, Outbound->Packets, Inbound->SoftLifetimeReached || Outbound->SoftLifetimeReached, HasStopped)
    {
        ReceivedBytes = Inbound->Bytes,
        SentBytes = Outbound->Bytes,
    };

    private bool HasStopped =>
        Inbound->Drops[EspDropReason.LifetimeExpired] + Outbound->Drops[EspDropReason.LifetimeExpired] + Outbound->Drops[EspDropReason.SequenceExhausted] != 0;
}
