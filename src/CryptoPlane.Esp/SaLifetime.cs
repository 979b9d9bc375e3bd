using System.Runtime.InteropServices;

namespace CryptoPlane.Esp;

/// <summary>
/// How much one SA may carry (RFC 4301 §4.4.2.1). Past a soft limit the SA goes on and says so, and its owner makes a new one; past a
/// hard limit it carries nothing more.
/// </summary>
/// <remarks>
/// <para>Lifetimes in time are the owner's, who has a clock. <see cref="Sad.TryTakeNotice"/> tells which SAs have passed one of these.</para>
/// <para>Sequence numbers are a limit by themselves: an outbound SA passes a soft limit when a sixteenth of them is left, whatever is set
/// here, and a hard one behind the last of them.</para>
/// </remarks>
public readonly record struct SaLifetime
{
    /// <summary>Packets after which <c>SoftLifetimeReached</c> is set; 0 for no limit.</summary>
    public ulong SoftPackets { get; init; }

    /// <summary>Packets after which nothing more is carried; 0 for no limit.</summary>
    public ulong HardPackets { get; init; }

    /// <summary>Bytes of inner packets after which <c>SoftLifetimeReached</c> is set; 0 for no limit.</summary>
    public ulong SoftBytes { get; init; }

    /// <summary>Bytes of inner packets after which nothing more is carried; 0 for no limit.</summary>
    public ulong HardBytes { get; init; }
}

/// <summary>
/// The limits of one SA, with "no limit" as the largest number, and where the next one lies: the hot path compares with that alone.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct SaLimits
{
    private ulong _softPackets;
    private ulong _hardPackets;
    private ulong _softBytes;
    private ulong _hardBytes;

    /// <summary>Whether a soft limit was passed.</summary>
    public bool SoftReached { get; private set; }

    /// <summary>Whether a packet has met a hard limit.</summary>
    public bool HardReached { get; private set; }

    /// <summary>Whether a limit was passed that the owner has not been told of.</summary>
    public bool HasNews { get; private set; }

    /// <summary>Whether the SA is on its database's list of those with news.</summary>
    public bool IsListed { get; private set; }

    /// <summary>Whether the SA is to be put on the list, where it is from now on.</summary>
    public bool TryList()
    {
        if (!HasNews || IsListed)
            return false;
        IsListed = true;
        return true;
    }

    /// <summary>The SA is off the list; what is news now has been told.</summary>
    public void Unlist() => IsListed = HasNews = false;

    /// <param name="lifetime">What the owner wants.</param>
    /// <param name="packetsOfSequence">Packets after which sequence numbers are about to run out.</param>
    public static SaLimits From(SaLifetime lifetime, ulong packetsOfSequence = ulong.MaxValue) => new()
    {
        _softPackets = Math.Min(OrNone(lifetime.SoftPackets), packetsOfSequence),
        _hardPackets = OrNone(lifetime.HardPackets),
        _softBytes = OrNone(lifetime.SoftBytes),
        _hardBytes = OrNone(lifetime.HardBytes),
    };

    /// <summary>Packets that may be carried before <see cref="TryPass"/> must be asked.</summary>
    public readonly ulong NextPackets => SoftReached ? _hardPackets : Math.Min(_softPackets, _hardPackets);

    /// <summary>Bytes that may be carried before <see cref="TryPass"/> must be asked.</summary>
    public readonly ulong NextBytes => SoftReached ? _hardBytes : Math.Min(_softBytes, _hardBytes);

    /// <summary>Whether a packet may pass on top of what was carried; notes that a soft limit lies behind.</summary>
    /// <param name="packets">Packets carried so far.</param>
    /// <param name="bytes">Bytes carried, with this packet's.</param>
    public bool TryPass(ulong packets, ulong bytes)
    {
        if (packets >= _hardPackets || bytes > _hardBytes)
        {
            Expire();
            return false;
        }
        bool isSoft = packets >= _softPackets || bytes > _softBytes;
        HasNews |= isSoft && !SoftReached;
        SoftReached |= isSoft;
        return true;
    }

    /// <summary>Notes that a hard limit was met.</summary>
    public void Expire()
    {
        HasNews |= !HardReached;
        HardReached = true;
    }

    private static ulong OrNone(ulong limit) => limit == 0 ? ulong.MaxValue : limit;
}
