using System.Runtime.InteropServices;

namespace CryptoPlane.Esp;

/// <summary>
/// Dropped packets by reason: one set per SA, and one per encapsulator and decapsulator, that is per lcore.
/// </summary>
/// <remarks>One lcore writes; another thread may read at any time and sees each counter whole, though not all of one instant.</remarks>
[StructLayout(LayoutKind.Sequential, Size = SizeInBytes)]
public unsafe struct EspCounters
{
    /// <summary>Counters in a set; reasons are below it.</summary>
    public const int Slots = 24;

    /// <summary>Size of a set: three cache lines.</summary>
    public const int SizeInBytes = Slots * sizeof(ulong);

    private fixed ulong _drops[Slots];

    /// <summary>Packets dropped for a reason.</summary>
    public readonly ulong this[EspDropReason reason]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)reason, (uint)Slots);
            return _drops[(int)reason];
        }
    }

    /// <summary>Packets dropped for all reasons; dummies are not counted in, since discarding them is what they are for.</summary>
    public readonly ulong TotalDropped
    {
        get
        {
            ulong total = 0;
            for (int i = 1; i < Slots; i++)
                total += _drops[i];
            return total - _drops[(int)EspDropReason.Dummy];
        }
    }

    // Sound: every member of the enumeration is below Slots (asserted by a test), and only members are passed.
    internal void Add(EspDropReason reason) => _drops[(int)reason]++;
}
