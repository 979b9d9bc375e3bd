using System.Runtime.InteropServices;

namespace CryptoPlane.Lcores;

/// <summary>What an lcore's loop did so far: written by the lcore, read by anybody through <see cref="Lcore.ReadCounters"/>.</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
public struct LcoreCounters
{
    /// <summary>Turns of the loop.</summary>
    public long Polls;

    /// <summary>Turns that found work.</summary>
    public long BusyPolls;

    /// <summary>Units of work, as the worker counted them.</summary>
    public long Work;

    /// <summary>Times it slept in the kernel.</summary>
    public long Sleeps;

    /// <summary>Times it did not sleep because something came while it was about to.</summary>
    public long SleepsAvoided;

    /// <summary>Nanoseconds in turns that found work.</summary>
    public long BusyNanoseconds;

    /// <summary>Nanoseconds in turns that found none: what a busy or adaptive lcore spends on waiting.</summary>
    public long SpinNanoseconds;

    /// <summary>Nanoseconds asleep in the kernel.</summary>
    public long SleepNanoseconds;
}
