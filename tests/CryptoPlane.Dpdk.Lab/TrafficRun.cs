using System.Diagnostics;
using CryptoPlane.Ports;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>Traffic both ways between two ports, with what is under way bounded. Tells ten times a second how it goes.</summary>
internal static class TrafficRun
{
    public static void Run(string first, string second, StandardInput input)
    {
        using var ports = new LabPorts(first, second);
        Exchange(ports, ports.First, ports.Second, new NumberedFrame(), input, _ => { });
    }

    /// <summary>Sends and checks until standard input is closed.</summary>
    /// <param name="ports">Whose pool and links these are.</param>
    /// <param name="first">Takes packets of direction 0, and gives those of direction 1.</param>
    /// <param name="second">The other one.</param>
    /// <param name="packets">What is sent.</param>
    /// <param name="input">What ends it.</param>
    /// <param name="tick">Called in every turn with the time in nanoseconds.</param>
    public static void Exchange(LabPorts ports, IPacketPort first, IPacketPort second, INumbered packets, StandardInput input, Action<long> tick)
    {
        var there = new TrafficLane(0, first, second, ports.Pool, packets);
        var back = new TrafficLane(1, second, first, ports.Pool, packets);
        var report = new Report(() => $"there {there}; back {back}; links {ports.Links}");
        bool sending = true;
        long end = long.MaxValue;
        for (long now = 0; now < end; now = Stopwatch.GetTimestamp())
        {
            // A Stopwatch counts nanoseconds on Linux.
            tick(now);
            if (sending)
            {
                there.Send(now);
                back.Send(now);
            }
            if (there.Receive(now) + back.Receive(now) == 0)
                Thread.Sleep(1);
            if (sending && input.IsClosed)
            {
                // What is under way may still arrive.
                sending = false;
                end = now + Stopwatch.Frequency;
            }
            if (!sending && !there.HasWork && !back.HasWork)
                break;
            report.Tick(now);
        }
        report.Write();
    }
}
