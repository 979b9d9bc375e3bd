namespace VpnBroker.DataPlane.Routing;

/// <summary>
/// Gives the parts of all flows to peers by their weights. Only as many change hands as the weights demand: what was a peer's stays with it, and
/// when one is gone its parts alone move.
/// </summary>
internal static class PeerSlots
{
    /// <summary>A slot that is nobody's yet.</summary>
    public const byte Nobody = byte.MaxValue;

    /// <summary>How many of the slots each member gets: by its weight, to the nearest slot, and one at least.</summary>
    /// <param name="weights">The members' weights, above 0; no more than there are slots.</param>
    /// <param name="slots">How many slots there are.</param>
    public static int[] Divide(ReadOnlySpan<double> weights, int slots)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(weights.Length, slots);
        double sum = 0;
        foreach (double weight in weights)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(weight);
            sum += weight;
        }
        int[] parts = new int[weights.Length];
        double[] exact = new double[weights.Length];
        int left = slots;
        for (int i = 0; i < parts.Length; i++)
        {
            exact[i] = weights[i] * slots / sum;
            parts[i] = Math.Max(1, (int)exact[i]);
            left -= parts[i];
        }
        for (; left != 0; left -= Math.Sign(left))
        {
            int chosen = -1;
            for (int i = 0; i < parts.Length; i++)
            {
                if ((left > 0 || parts[i] > 1) && (chosen < 0 || (exact[i] - parts[i]) * left > (exact[chosen] - parts[chosen]) * left))
                    chosen = i;
            }
            parts[chosen] += Math.Sign(left);
        }
        return parts;
    }

    /// <summary>Takes slots from members who have too many, and from nobody, and gives them to those who have too few.</summary>
    /// <param name="slots">The member of each slot, or <see cref="Nobody"/>.</param>
    /// <param name="parts">How many each member gets; all slots in sum.</param>
    public static void Move(Span<byte> slots, ReadOnlySpan<int> parts)
    {
        Span<int> missing = stackalloc int[parts.Length];
        parts.CopyTo(missing);
        foreach (ref byte slot in slots)
        {
            if (slot >= parts.Length || missing[slot] == 0)
                slot = Nobody;
            else
                missing[slot]--;
        }
        int member = 0;
        foreach (ref byte slot in slots)
        {
            if (slot != Nobody)
                continue;
            while (missing[member] == 0)
                member++;
            slot = (byte)member;
            missing[member]--;
        }
    }
}
