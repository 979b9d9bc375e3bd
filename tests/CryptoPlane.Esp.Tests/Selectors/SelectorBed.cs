using System.Net;
using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Tests.Selectors;

/// <summary>An inbound SA with selectors, and a peer who holds its key and sends by it whatever a test likes.</summary>
internal sealed unsafe class SelectorBed : IDisposable
{
    private const AeadAlgorithm Algorithm = AeadAlgorithm.Aes128Gcm;

    private readonly EspForge _peer;
    private ulong _sequence;

    public SelectorBed(EspSelector[] remote, EspSelector[] local)
    {
        byte[] material = EspTestBed.KeyingMaterial(Algorithm);
        uint spi = Spi.Create(0, 9);
        Inbound = Bed.AddInbound(
            new InboundSaParameters { Spi = spi, Algorithm = Algorithm, RemoteSelectors = remote, LocalSelectors = local }, material);
        Outbound = Bed.AddOutbound(
            new OutboundSaParameters { Spi = spi, Algorithm = Algorithm, RemoteSelectors = remote, LocalSelectors = local }, material);
        _peer = new EspForge(Algorithm, material, spi);
    }

    public EspTestBed Bed { get; } = new();

    public InboundSa* Inbound { get; }

    /// <summary>With the same selectors, seen from the same end.</summary>
    public OutboundSa* Outbound { get; }

    /// <summary>Whether a packet from the remote end comes out; nothing but the selectors may stop it.</summary>
    public bool Receives(byte[] inner)
    {
        Opened opened = Bed.Open(_peer.SealInner(++_sequence, inner));
        Assert.Equal(EspStatus.Added, opened.Status);
        if (opened.Reason == EspDropReason.None)
        {
            Assert.Equal(inner, opened.Inner);
            return true;
        }
        Assert.Equal(EspDropReason.SelectorMismatch, opened.Reason);
        Assert.Null(opened.Inner);
        return false;
    }

    /// <summary>Whether a packet to the remote end may take the SA.</summary>
    public bool MaySend(byte[] inner)
    {
        var packet = Bed.Rent(inner);
        bool admits = Outbound->Admits(packet);
        Bed.Pool.Return(packet);
        return admits;
    }

    public void Dispose() => Bed.Dispose();

    public static EspSelector Prefix(string prefix, byte protocol = 0, ushort first = 0, ushort last = ushort.MaxValue) =>
        EspSelector.FromPrefix(IPNetwork.Parse(prefix), protocol, first, last);

    public static EspSelector Range(string first, string last) => new(IPAddress.Parse(first), IPAddress.Parse(last));

    /// <summary>"Opaque": what hides its port.</summary>
    public static EspSelector Opaque(string prefix, byte protocol) => Prefix(prefix, protocol, ushort.MaxValue, 0);
}
