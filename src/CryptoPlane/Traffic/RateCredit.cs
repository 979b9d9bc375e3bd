using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Traffic;

/// <summary>
/// The credit of one rate, in units (bits or packets) times nanoseconds per second: so a nanosecond earns exactly <c>rate</c>, no division
/// is needed to fill up, and nothing is lost to rounding.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RateCredit
{
    /// <summary>Credit of one unit.</summary>
    public const long Unit = 1_000_000_000;

    /// <summary>Deepest debt: one packet of 64 KiB in bits. What is charged deeper is forgiven.</summary>
    private const long DeepestDebt = 65536L * 8 * Unit;

    private long _rate;
    private long _capacity;
    private long _credit;

    /// <summary>After this time the credit is full, whatever it was.</summary>
    private long _fillTime;

    /// <summary>Whether there is a rate.</summary>
    public readonly bool IsLimited => _rate != 0;

    /// <summary>Sets the rate; credit stays as far as it fits, and of a credit that had no rate, all.</summary>
    /// <param name="rate">Units per second; 0 for none.</param>
    /// <param name="burst">Units that can be saved.</param>
    public void Set(long rate, long burst)
    {
        bool fresh = _rate == 0;
        _rate = rate;
        // At most 2^31 bits or 10^9 packets: below 2.2e18, so that no sum of two overflows.
        _capacity = burst * Unit;
        _credit = fresh ? _capacity : Math.Min(_credit, _capacity);
        _fillTime = rate == 0 ? 0 : ((_capacity + DeepestDebt) / rate) + 1;
    }

    /// <summary>Earns what a time brings.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Earn(long nanoseconds) =>
        _credit = nanoseconds >= _fillTime ? _capacity : Math.Min(_capacity, _credit + (nanoseconds * _rate));

    /// <summary>Whether the credit covers so many units, if there is a rate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Covers(long units) => _rate == 0 || _credit >= units * Unit;

    /// <summary>Whether there is no debt.</summary>
    public readonly bool IsPositive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _rate == 0 || _credit > 0;
    }

    /// <summary>Charges units, into debt if need be.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Charge(long units)
    {
        if (_rate != 0)
            _credit = Math.Max(_credit - (units * Unit), -DeepestDebt);
    }

    /// <summary>Nanoseconds until <see cref="IsPositive"/>.</summary>
    public readonly long UntilPositive => IsPositive ? 0 : (-_credit / _rate) + 1;
}
