using System.Net;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.Ports;

namespace CryptoPlane.Tests.Capture;

/// <summary>A tap with a ring and a pool, and a port in memory behind a <see cref="CapturingPort"/>.</summary>
internal sealed unsafe class CaptureBed : IDisposable
{
    public const int Point = 3;

    private readonly PacketBuffer*[] _burst = new PacketBuffer*[64];
    private bool _ringDisposed;

    public CaptureBed(CaptureFraming framing = CaptureFraming.Ip, CaptureFilter filter = default, int snap = 65_535, int sample = 1, int ring = 256 * 1024, IPacketMemory? memory = null)
    {
        Ring = new CaptureRing(new CaptureRingOptions { RingBytes = ring, SnapLength = snap, SampleEvery = sample, Filter = filter, Points = [Point] }, memory);
        Inner = new MemoryPort(Pool);
        Port = new CapturingPort(Inner, Tap, new CapturePort { Point = Point, ReceiveFraming = framing, TransmitFraming = framing, Local = Local });
    }

    public static PacketEndpoint Local { get; } = PacketEndpoint.From(IPEndPoint.Parse("192.0.2.1:4500"));

    public static PacketEndpoint Peer { get; } = PacketEndpoint.From(IPEndPoint.Parse("198.51.100.7:4501"));

    public PacketPool Pool { get; } = new(128, 2048, 64);

    public CaptureTap Tap { get; } = new();

    public CaptureRing Ring { get; }

    public MemoryPort Inner { get; }

    public CapturingPort Port { get; }

    public CaptureBed Start()
    {
        Assert.Equal(0, Tap.Attach(Ring.Address));
        return this;
    }

    /// <summary>Sends packets as one burst, and gives back what the port does not take.</summary>
    public int Send(params byte[][] packets)
    {
        Rent(packets);
        int taken;
        fixed (PacketBuffer** burst = _burst)
            taken = Port.Transmit(burst, packets.Length);
        for (int i = taken; i < packets.Length; i++)
            Pool.Return(_burst[i]);
        return taken;
    }

    /// <summary>Lets the port receive packets as one burst.</summary>
    public void Receive(params byte[][] packets)
    {
        Rent(packets);
        for (int i = 0; i < packets.Length; i++)
            Inner.Incoming.Enqueue((nint)_burst[i]);
        fixed (PacketBuffer** burst = _burst)
        {
            if (Port.Receive(burst, packets.Length) != packets.Length)
                throw new InvalidOperationException("The port gave another number of packets.");
            Pool.Return(burst, packets.Length);
        }
    }

    /// <summary>Takes the oldest packet out of the ring.</summary>
    public (CaptureRecord Record, byte[] Bytes)? Take()
    {
        CaptureRecord* record = Ring.Peek();
        if (record == null)
            return null;
        (CaptureRecord, byte[]) taken = (*record, CaptureRing.BytesOf(record).ToArray());
        Ring.Release(record);
        return taken;
    }

    public List<(CaptureRecord Record, byte[] Bytes)> TakeAll()
    {
        var all = new List<(CaptureRecord, byte[])>();
        while (Take() is { } taken)
            all.Add(taken);
        return all;
    }

    public void DisposeRing()
    {
        _ringDisposed = true;
        Ring.Dispose();
    }

    public void Dispose()
    {
        Tap.Attach(0);
        if (!_ringDisposed)
            Ring.Dispose();
        Assert.Equal(Pool.Count, Pool.Available);
        Pool.Dispose();
    }

    private void Rent(byte[][] packets)
    {
        for (int i = 0; i < packets.Length; i++)
        {
            // No assertion: these allocate.
            if (!Pool.TryRent(out PacketBuffer* packet) || !packet->TrySetLength(packets[i].Length))
                throw new InvalidOperationException("The pool is empty, or the packet too long.");
            packets[i].CopyTo(packet->Span);
            *(PacketEndpoint*)packet->Scratch = Peer;
            _burst[i] = packet;
        }
    }
}

/// <summary>A port in memory that has room for some packets.</summary>
internal sealed unsafe class MemoryPort(PacketPool pool) : IPacketPort
{
    public Queue<nint> Incoming { get; } = new(64);

    public int Room { get; set; } = int.MaxValue;

    public int Receive(PacketBuffer** burst, int capacity)
    {
        int count = 0;
        while (count < capacity && Incoming.TryDequeue(out nint packet))
            burst[count++] = (PacketBuffer*)packet;
        return count;
    }

    public int Transmit(PacketBuffer** burst, int count)
    {
        int taken = Math.Min(count, Room);
        for (int i = 0; i < taken; i++)
            burst[i]->Span.Fill(0xEE);
        pool.Return(burst, taken);
        return taken;
    }
}
