using System.Diagnostics;
using CryptoPlane.Buffers;
using CryptoPlane.Ports;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>One direction of traffic: numbered packets into one port, which come out of another.</summary>
internal sealed unsafe class TrafficLane(int direction, IPacketPort from, IPacketPort to, PacketPool pool, INumbered packets)
{
    // Less than any queue on the way holds, so that nothing is lost where nothing breaks.
    private const int Burst = 32, Window = 128;

    /// <summary>After this long without a packet what is under way counts as lost.</summary>
    private static readonly long s_patience = Stopwatch.Frequency / 4;

    private ulong _sent, _received, _wrong, _disordered, _newest, _settled;
    private long _progress = Stopwatch.GetTimestamp();

    public bool HasWork => _received + _settled < _sent;

    /// <summary>Sends what the window allows.</summary>
    public void Send(long now)
    {
        if (now - _progress > s_patience)
        {
            _settled = _sent - _received;
            _progress = now;
        }
        // A packet that was given up may arrive after all: then less than nothing is under way.
        long underWay = Math.Max(0, (long)(_sent - _settled - _received));
        PacketBuffer** burst = stackalloc PacketBuffer*[Burst];
        int count = 0;
        while (count < Math.Min(Burst, Window - underWay) && pool.TryRent(out burst[count]))
        {
            ulong number = _sent + (ulong)count + 1;
            burst[count]->TrySetLength(packets.LengthOf(number));
            packets.Write(burst[count]->Span, direction, number);
            count++;
        }
        int taken = from.Transmit(burst, count);
        pool.Return(burst + taken, count - taken);
        _sent += (ulong)taken;
    }

    /// <summary>Takes and checks what came.</summary>
    public int Receive(long now)
    {
        PacketBuffer** burst = stackalloc PacketBuffer*[Burst];
        int count = to.Receive(burst, Burst);
        for (int i = 0; i < count; i++)
        {
            if (!packets.IsOurs(burst[i]->Span))
                continue;
            ulong number = packets.Check(burst[i]->Span, direction);
            _received++;
            _progress = now;
            if (number == 0)
                _wrong++;
            else if (number <= _newest)
                _disordered++;
            else
                _newest = number;
        }
        pool.Return(burst, count);
        return count;
    }

    public override string ToString() => $"sent {_sent} received {_received} wrong {_wrong} disordered {_disordered}";
}
