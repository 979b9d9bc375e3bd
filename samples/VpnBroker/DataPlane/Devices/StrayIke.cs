using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Lcores;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Devices;

/// <summary>Rings from the lcores to IKE's thread, and that thread's buffers.</summary>
internal sealed unsafe class StrayIke : IStrayIke, IDisposable
{
    private const int RingSize = 64, BurstSize = 32;

    private readonly PacketHandover[] _rings;
    private readonly IReadOnlyList<IPEndPoint> _locals;
    private readonly PacketPool _pool = new(BurstSize, 2048 + LcoreContext.Headroom, LcoreContext.Headroom);
    private PacketBuffer** _burst;

    /// <summary>Makes empty rings.</summary>
    /// <param name="lcores">How many lcores there are.</param>
    /// <param name="locals">The local ends of the lcores' ESP ports, by their index.</param>
    public StrayIke(int lcores, IReadOnlyList<IPEndPoint> locals)
    {
        _locals = locals;
        Waker = new LcoreWaker();
        _rings = [.. Enumerable.Range(0, lcores).Select(_ => new PacketHandover(RingSize, Waker))];
        _burst = (PacketBuffer**)NativeMemory.Alloc(BurstSize, (nuint)sizeof(PacketBuffer*));
    }

    /// <inheritdoc/>
    public LcoreWaker Waker { get; }

    /// <inheritdoc/>
    public bool IsEmpty => Array.TrueForAll(_rings, ring => ring.IsEmpty);

    /// <summary>The ring that an lcore posts to.</summary>
    public PacketHandover RingOf(int lcore) => _rings[lcore];

    /// <inheritdoc/>
    public void Take(StrayIkeReceiver receiver)
    {
        foreach (PacketHandover ring in _rings)
        {
            int count = ring.Receive(_burst, BurstSize, _pool);
            for (int i = 0; i < count; i++)
            {
                PacketBuffer* packet = _burst[i];
                receiver(_locals[PacketMeta.Of(packet)->Tunnel], ((PacketEndpoint*)packet->Scratch)->ToIPEndPoint(), packet->Span);
                _pool.Return(packet);
            }
        }
    }

    /// <summary>Frees the rings; lcores and IKE have stopped.</summary>
    public void Dispose()
    {
        if (_burst == null)
            return;
        foreach (PacketHandover ring in _rings)
            ring.Dispose();
        _pool.Dispose();
        Waker.Dispose();
        NativeMemory.Free(_burst);
        _burst = null;
    }
}
