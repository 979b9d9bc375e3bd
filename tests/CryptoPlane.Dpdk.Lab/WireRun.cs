using System.Diagnostics;
using CryptoPlane.Buffers;
using CryptoPlane.Ports;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>What comes in at one of two ports leaves by the other. Tells ten times a second how it goes.</summary>
internal static unsafe class WireRun
{
    private const int Burst = 32;

    public static void Run(string first, string second, StandardInput input)
    {
        using var ports = new LabPorts(first, second);
        ulong there = 0, back = 0, dropped = 0;
        var report = new Report(() => $"there {there} back {back} dropped {dropped}; links {ports.Links}");
        while (!input.IsClosed)
        {
            int toSecond = Forward(ports.First, ports.Second, ports.Pool, ref dropped), toFirst = Forward(ports.Second, ports.First, ports.Pool, ref dropped);
            there += (ulong)toSecond;
            back += (ulong)toFirst;
            if (toSecond + toFirst == 0)
                Thread.Sleep(1);
            report.Tick(Stopwatch.GetTimestamp());
        }
        report.Write();
    }

    private static int Forward(IPacketPort from, IPacketPort to, PacketPool pool, ref ulong dropped)
    {
        PacketBuffer** burst = stackalloc PacketBuffer*[Burst];
        int count = from.Receive(burst, Burst), taken = to.Transmit(burst, count);
        pool.Return(burst + taken, count - taken);
        dropped += (ulong)(count - taken);
        return taken;
    }
}
