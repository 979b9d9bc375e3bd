using System.Security.Cryptography;
using CryptoPlane.Esp;
using CryptoPlane.Ike;

namespace VpnBroker.Ipsec;

/// <summary>
/// Inbound SPIs whose top byte names the lcore, so that sockets and queues steer by it; below, what nobody can guess. IKE's thread.
/// </summary>
/// <param name="lcores">How many lcores there are.</param>
/// <param name="taken">SPIs that static SAs have.</param>
internal sealed class ChildSpiSource(int lcores, IEnumerable<uint> taken) : IChildSpiSource
{
    /// <summary>With half of an lcore's 2^24 SPIs in use a draw still succeeds every other time.</summary>
    private const int MaximumPerLcore = 1 << 23;

    private readonly HashSet<uint> _used = [.. taken];
    private readonly int[] _counts = new int[lcores];

    /// <inheritdoc/>
    public uint Allocate(int resource, uint replaces)
    {
        // Child SAs of no lcore in particular go to the one that has the fewest, and stay there.
        int lcore = resource >= 0 ? resource : replaces != 0 ? Spi.LcoreOf(replaces) : Array.IndexOf(_counts, _counts.Min());
        if (lcore >= lcores || _counts[lcore] >= MaximumPerLcore)
            return 0;
        uint spi;
        do
        {
            spi = Spi.Create(lcore, (uint)RandomNumberGenerator.GetInt32((int)Spi.MaxLow24 + 1));
        }
        while (!_used.Add(spi));
        _counts[lcore]++;
        return spi;
    }

    /// <inheritdoc/>
    public void Free(uint spi)
    {
        if (_used.Remove(spi))
            _counts[Spi.LcoreOf(spi)]--;
    }
}
