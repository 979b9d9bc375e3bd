using System.Diagnostics;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>Traffic both ways between two ports, with what is under way bounded. Tells ten times a second how it goes.</summary>
internal static class TrafficRun
{
    public static void Run(string first, string second, StandardInput input)
    {
        using var ports = new LabPorts(first, second);
        var there = new TrafficLane(0, ports.First, ports.Second, ports.Pool);
        var back = new TrafficLane(1, ports.Second, ports.First, ports.Pool);
        var report = new Report(() => $"there {there}; back {back}; links {ports.Links}");
        bool sending = true;
        long end = long.MaxValue;
        for (long now = 0; now < end; now = Stopwatch.GetTimestamp())
        {
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
