using System.Runtime.InteropServices;

namespace CryptoPlane.Esp;

/// <summary>
/// An SA of which a lifetime has passed, as <see cref="Sad.TryTakeNotice"/> tells its owner: one of the two, soft at first and hard in
/// another notice if it comes to that.
/// </summary>
public readonly unsafe struct SaNotice
{
    /// <summary>The inbound SA, or null.</summary>
    public InboundSa* Inbound { get; internal init; }

    /// <summary>The outbound SA, or null.</summary>
    public OutboundSa* Outbound { get; internal init; }

    /// <summary>Whether it carries nothing more: a packet has met the hard lifetime or the end of the sequence numbers.</summary>
    public bool IsHard { get; internal init; }
}

/// <summary>
/// The SAs of one database that have something to tell, linked through their cold parts: so the owner of a hundred thousand looks at one
/// pointer.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SaNotices
{
    public InboundSa* Inbound;
    public OutboundSa* Outbound;
}
