namespace CryptoPlane.Traffic;

/// <summary>
/// Divides a limit that spans several lcores into one share for each, by what each of them has had to send: so that the lcores need no
/// common counter. A control thread does so every fraction of a second, and gives each lcore its share as a rate.
/// </summary>
public static class ShareAllocator
{
    /// <summary>The part of an equal share that a place has always, so that what begins there can be measured: an eighth.</summary>
    private const int UsualFloorDivisor = 8;

    /// <summary>Divides a limit, of which each place has at least an eighth of an equal share. A pure function.</summary>
    /// <inheritdoc cref="Divide(long, ReadOnlySpan{long}, Span{long}, int)" path="/param|/remarks|/exception"/>
    public static void Divide(long limit, ReadOnlySpan<long> demands, Span<long> shares) => Divide(limit, demands, shares, UsualFloorDivisor);

    /// <summary>Divides a limit. A pure function.</summary>
    /// <param name="limit">The limit, in any unit; not negative.</param>
    /// <param name="demands">What each place would have sent, in the limit's unit: what it sent and what waited or was dropped.</param>
    /// <param name="shares">Receives each place's share, their sum being the limit exactly.</param>
    /// <param name="floorDivisor">An equal share divided by this is what each place gets at least, whatever it asked for.</param>
    /// <remarks>
    /// Max-min fair: where the demands fit, each gets its own and an equal part of the rest; else none gets more than it asked for as long
    /// as another has less and wants more.
    /// </remarks>
    /// <exception cref="ArgumentException">There are no places, or not as many shares as demands.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative, or the divisor less than 1.</exception>
    public static void Divide(long limit, ReadOnlySpan<long> demands, Span<long> shares, int floorDivisor)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        ArgumentOutOfRangeException.ThrowIfLessThan(floorDivisor, 1);
        if (demands.Length == 0 || shares.Length != demands.Length)
            throw new ArgumentException($"There are {demands.Length} demands and {shares.Length} shares: there must be as many, and one at least.", nameof(shares));
        int places = demands.Length;
        long floor = limit / places / floorDivisor;
        shares.Fill(floor);
        long left = limit - (floor * places);
        // Water filling: every round satisfies a place, or is the last, so that there are no more rounds than places.
        for (int round = 0; round < places && left > 0; round++)
        {
            int thirsty = 0;
            for (int i = 0; i < places; i++)
                thirsty += demands[i] > shares[i] ? 1 : 0;
            if (thirsty == 0)
                break;
            long part = left / thirsty;
            if (part == 0)
                break;
            bool satisfied = false;
            for (int i = 0; i < places; i++)
            {
                long missing = demands[i] - shares[i];
                if (missing <= 0)
                    continue;
                long given = Math.Min(part, missing);
                satisfied |= given == missing;
                shares[i] += given;
                left -= given;
            }
            if (!satisfied)
                break;
        }
        for (int i = 0; i < places; i++)
            shares[i] += (left / places) + (i < left % places ? 1 : 0);
    }
}
