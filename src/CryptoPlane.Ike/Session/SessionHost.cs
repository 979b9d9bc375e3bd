using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using CryptoPlane.Aead;

namespace CryptoPlane.Ike.Session;

/// <summary>What the IKE SAs of an endpoint share: options, randomness, the ways out, and who is told of their fate.</summary>
internal abstract class SessionHost
{
    private static readonly byte[] s_nonEspMarker = new byte[4];

    private readonly Queue<IkeDatagram> _datagrams = [];
    private readonly Queue<IkeEvent> _events = [];
    private readonly Dictionary<uint, ChildSa> _children = [];

    protected SessionHost(IkeEndpointOptions options, AeadEngine engine)
    {
        Options = options;
        Engine = engine;
    }

    public IkeEndpointOptions Options { get; }

    public AeadEngine Engine { get; }

    /// <summary>The configured peers.</summary>
    public abstract IReadOnlyList<IkeConnection> Connections { get; }

    /// <summary>Makes an IKE SA known by its SPI.</summary>
    public abstract void Add(IkeSa sa);

    /// <summary>Forgets it.</summary>
    public abstract void Remove(IkeSa sa);

    /// <summary>Its <see cref="IkeSa.NextTimeout"/> may have become earlier.</summary>
    public abstract void Schedule(IkeSa sa);

    /// <summary>An IKE SA has authenticated.</summary>
    public abstract void OnEstablished(IkeSa sa, long now);

    /// <summary>An IKE SA that was ours to bring up is gone, or did not come to be.</summary>
    public abstract void OnClosed(IkeSa sa, IkeCloseReason reason, long now);

    /// <summary>A child SA is gone that nothing replaces, or could not be made.</summary>
    public abstract void OnChildMissing(IkeSa sa, long now);

    /// <summary>We have made a child SA; there may be more to make.</summary>
    public abstract void OnChildMade(IkeSa sa, long now);

    /// <summary>All IKE SAs of a connection with the same peer.</summary>
    public abstract IEnumerable<IkeSa> FindPeer(IkeConnection connection, IkeIdentity remoteId);

    /// <summary>A child SA by its inbound SPI.</summary>
    public ChildSa? FindChild(ChildSaId id) => _children.GetValueOrDefault(id.InboundSpi);

    public void AddChild(ChildSa child) => _children.Add(child.Id.InboundSpi, child);

    public void RemoveChild(ChildSa child) => _children.Remove(child.Id.InboundSpi);

    public bool TryTakeDatagram([NotNullWhen(true)] out IkeDatagram? datagram) => _datagrams.TryDequeue(out datagram);

    public bool TryTakeEvent([NotNullWhen(true)] out IkeEvent? e) => _events.TryDequeue(out e);

    public void Emit(IkeEvent e) => _events.Enqueue(e);

    /// <summary>Sends an IKE message. RFC 3948 §2.2: on port 4500 four zero bytes go before it, which are no SPI of ESP.</summary>
    public void Send(PeerPath path, byte[] message)
    {
        byte[] payload = path.Local.Port == PeerPath.NatTraversalPort ? [.. s_nonEspMarker, .. message] : message;
        _datagrams.Enqueue(new IkeDatagram(path.Local, path.Remote, payload));
    }

    /// <summary>Keeps a NAT's mapping alive (RFC 3948 §2.3).</summary>
    public void SendKeepalive(PeerPath path) => _datagrams.Enqueue(new IkeDatagram(path.Local, path.Remote, new byte[] { 0xFF }));

    /// <summary>An SPI for an IKE SA that no other of the endpoint has.</summary>
    public abstract ulong NewSpi();

    public uint RandomNumber()
    {
        Span<byte> bytes = stackalloc byte[4];
        Options.Randomness(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    /// <summary>A random time from 0 up to a length.</summary>
    public long RandomTime(long length) => (long)((double)length * RandomNumber() / uint.MaxValue);

    /// <summary>When an SA that begins to live now is rekeyed.</summary>
    public long RekeyTime(IkeLifetime lifetime, long now) => now + lifetime.RekeyAfter - RandomTime(lifetime.Jitter);

    /// <summary>Random bytes.</summary>
    public byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        Options.Randomness(bytes);
        return bytes;
    }
}
