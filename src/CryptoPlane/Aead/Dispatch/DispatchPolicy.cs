using System.Numerics;

namespace CryptoPlane.Aead.Dispatch;

/// <summary>
/// Where an operation is cheaper for the lcore, by what it has measured: the CPU's kernels cost the work itself, a device costs handing over
/// and collecting.
/// </summary>
/// <remarks>
/// <para>Costs are kept per class of lengths (powers of two of 16-byte blocks) as moving averages in clock ticks per operation, so that a
/// frequency change moves the break-even within some hundred bursts. An interruption only ever adds to what is measured, so averages fall
/// faster than they rise, and one measurement raises them by an eighth at most.</para>
/// <para>Reading the clock costs as much as some operations do, so one burst in four is measured, and every probe. Given the same calls it
/// decides the same.</para>
/// </remarks>
internal sealed class DispatchPolicy
{
    /// <summary>Classes: 0 blocks, 1, 2 to 3, 4 to 7, and so on.</summary>
    private const int Classes = 29;

    /// <summary>The newest measurement's part of the average is one in so many, if it is above and if it is below.</summary>
    private const double MemoryAbove = 8, MemoryBelow = 4;

    /// <summary>One burst in so many is measured: a power of two.</summary>
    private const uint MeasuredInterval = 4;

    private readonly double[] _cpu = new double[Classes], _device = new double[Classes];
    private readonly uint[] _bursts = new uint[Classes];
    private readonly uint _probeMask;
    private readonly uint _minimumLength;
    private readonly bool _always;
    private double _collecting;

    public DispatchPolicy(DispatchOptions options)
    {
        _probeMask = (uint)options.ProbeInterval - 1;
        _minimumLength = (uint)options.MinimumLength;
        _always = options.PreferDevice;
    }

    /// <summary>The class of a length.</summary>
    public static int ClassOf(uint length) => 32 - BitOperations.LeadingZeroCount((length + 15) / 16);

    /// <summary>Ticks per operation of a class, as far as they are known: 0 means not yet.</summary>
    public (double Cpu, double Device) CostOf(int lengthClass) =>
        (_cpu[lengthClass], _device[lengthClass] == 0 ? 0 : _device[lengthClass] + _collecting);

    /// <summary>Whether the burst that was asked about last is to be measured.</summary>
    public bool Measures { get; private set; }

    /// <summary>Whether a burst of this length goes to the device. Every call counts as a burst of its class.</summary>
    public bool PrefersDevice(uint length)
    {
        Measures = false;
        if (length < _minimumLength)
            return false;
        if (_always)
            return true;
        int lengthClass = ClassOf(length);
        uint burst = _bursts[lengthClass]++;
        (double cpu, double device) = CostOf(lengthClass);
        // Both are tried at first, and again now and then.
        Measures = true;
        if (device == 0 || cpu == 0)
            return device == 0;
        bool prefers = device < cpu;
        if ((burst & _probeMask) == _probeMask)
            return !prefers;
        Measures = burst % MeasuredInterval == 0;
        return prefers;
    }

    /// <summary>The CPU carried out <paramref name="count"/> operations of one class.</summary>
    public void MeasuredCpu(int lengthClass, int count, long ticks) => Average(ref _cpu[lengthClass], (double)ticks / count);

    /// <summary>The device took <paramref name="count"/> operations of one class.</summary>
    public void MeasuredSubmission(int lengthClass, int count, long ticks) => Average(ref _device[lengthClass], (double)ticks / count);

    /// <summary><paramref name="count"/> operations of any class were collected.</summary>
    public void MeasuredCollection(int count, long ticks) => Average(ref _collecting, (double)ticks / count);

    private static void Average(ref double average, double measured)
    {
        if (average == 0)
            average = Math.Max(measured, double.Epsilon);
        else if (measured > average)
            average += (Math.Min(measured, 2 * average) - average) / MemoryAbove;
        else
            average += (measured - average) / MemoryBelow;
    }
}
