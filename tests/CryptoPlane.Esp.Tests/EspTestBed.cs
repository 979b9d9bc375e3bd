using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp.Tests;

/// <summary>What became of one packet that a test offered to the decapsulator.</summary>
internal readonly record struct Opened(EspStatus Status, EspDropReason Reason, byte[]? Inner);

/// <summary>Everything that one lcore has for ESP, and ways to send single packets through it.</summary>
internal sealed unsafe class EspTestBed : IDisposable
{
    public const int BurstSize = 64;

    public EspTestBed(int sadCapacity = 64, int bufferSize = 4096)
    {
        Engine = AeadEngine.CreateDefault();
        Burst = new AeadBurst(BurstSize);
        Pool = new PacketPool(2 * BurstSize, bufferSize, headroom: 128);
        Sad = new Sad(sadCapacity, Engine);
        Encapsulator = new EspEncapsulator(BurstSize);
        Decapsulator = new EspDecapsulator(BurstSize);
    }

    public AeadEngine Engine { get; }

    public AeadBurst Burst { get; }

    public PacketPool Pool { get; }

    public Sad Sad { get; }

    public EspEncapsulator Encapsulator { get; }

    public EspDecapsulator Decapsulator { get; }

    /// <summary>Keying material that depends on a seed alone.</summary>
    public static byte[] KeyingMaterial(AeadAlgorithm algorithm, int seed = 1)
    {
        byte[] material = new byte[SaParameters.KeyingMaterialSize(algorithm)];
        new Random(seed).NextBytes(material);
        return material;
    }

    public OutboundSa* AddOutbound(OutboundSaParameters parameters, ReadOnlySpan<byte> keyingMaterial)
    {
        OutboundSa* sa = OutboundSa.Create(parameters, keyingMaterial);
        Sad.Add(sa);
        return sa;
    }

    public InboundSa* AddInbound(InboundSaParameters parameters, ReadOnlySpan<byte> keyingMaterial)
    {
        InboundSa* sa = InboundSa.Create(parameters, keyingMaterial);
        Assert.Equal(SadStatus.Added, Sad.Add(sa));
        return sa;
    }

    /// <summary>An SA in both directions, with one key: our own packets come back to us.</summary>
    public (nint Out, nint In) AddLoop(
        AeadAlgorithm algorithm = AeadAlgorithm.Aes128Gcm, bool esn = false, EspOuterHeader outer = EspOuterHeader.None,
        bool outerIPv6 = false, int window = 1024, uint low24 = 0x1234, EspDfPolicy dontFragment = EspDfPolicy.Copy,
        SaLifetime outboundLifetime = default, SaLifetime inboundLifetime = default)
    {
        byte[] material = KeyingMaterial(algorithm, (int)low24);
        uint spi = Spi.Create(0, low24);
        var outbound = new OutboundSaParameters
        {
            Spi = spi,
            Algorithm = algorithm,
            ExtendedSequenceNumbers = esn,
            OuterHeader = outer,
            Source = IPAddress.Parse(outerIPv6 ? "2001:db8:1::1" : "192.0.2.1"),
            Destination = IPAddress.Parse(outerIPv6 ? "2001:db8:2::2" : "198.51.100.2"),
            DontFragment = dontFragment,
            Lifetime = outboundLifetime,
        };
        var inbound = new InboundSaParameters
        {
            Spi = spi,
            Algorithm = algorithm,
            ExtendedSequenceNumbers = esn,
            ReplayWindow = window,
            Lifetime = inboundLifetime,
        };
        return ((nint)AddOutbound(outbound, material), (nint)AddInbound(inbound, material));
    }

    /// <summary>A buffer with a packet in it.</summary>
    public PacketBuffer* Rent(ReadOnlySpan<byte> content)
    {
        Assert.True(Pool.TryRent(out PacketBuffer* packet));
        Assert.True(packet->TrySetLength(content.Length));
        content.CopyTo(packet->Span);
        return packet;
    }

    /// <summary>Seals one packet; null if it was dropped.</summary>
    public byte[]? TrySeal(OutboundSa* sa, ReadOnlySpan<byte> inner, out EspStatus status)
    {
        PacketBuffer* packet = Rent(inner);
        byte[]? result = null;
        status = Encapsulator.TryAdd(Burst, sa, packet);
        if (status == EspStatus.Added)
        {
            Burst.Run(Engine);
            Encapsulator.Complete(Burst);
            if (Encapsulator[0].Reason == EspDropReason.None)
                result = packet->Span.ToArray();
            Encapsulator.Clear();
            Burst.Clear();
        }
        Pool.Return(packet);
        return result;
    }

    /// <summary>Seals one packet that must not be dropped.</summary>
    public byte[] Seal(OutboundSa* sa, ReadOnlySpan<byte> inner)
    {
        byte[]? sealedPacket = TrySeal(sa, inner, out EspStatus status);
        Assert.Equal(EspStatus.Added, status);
        Assert.NotNull(sealedPacket);
        return sealedPacket;
    }

    /// <summary>Offers one packet to the decapsulator and opens it.</summary>
    public Opened Open(ReadOnlySpan<byte> outer, EspIngress ingress = EspIngress.Esp)
    {
        ulong[] before = Snapshot(in Decapsulator.Drops);
        PacketBuffer* packet = Rent(outer);
        EspStatus status = Decapsulator.TryAdd(Burst, Sad, packet, ingress);
        byte[]? inner = null;
        if (status == EspStatus.Added)
        {
            Burst.Run(Engine);
            Decapsulator.Complete(Burst);
            Assert.Equal(1, Decapsulator.Count);
            EspDropReason listed = Decapsulator[0].Reason;
            if (listed == EspDropReason.None)
                inner = packet->Span.ToArray();
            else
                Assert.Equal(0, packet->Length);
            Decapsulator.Clear();
            Burst.Clear();
        }
        Pool.Return(packet);
        return new Opened(status, Difference(before, in Decapsulator.Drops), inner);
    }

    /// <summary>The counter that rose by one since a snapshot; none may have risen by more, nor two of them.</summary>
    public static EspDropReason Difference(ulong[] before, in EspCounters counters)
    {
        EspDropReason reason = EspDropReason.None;
        for (int i = 0; i < EspCounters.Slots; i++)
        {
            ulong rise = counters[(EspDropReason)i] - before[i];
            if (rise == 0)
                continue;
            Assert.Equal(1u, rise);
            Assert.Equal(EspDropReason.None, reason);
            reason = (EspDropReason)i;
        }
        return reason;
    }

    public static ulong[] Snapshot(in EspCounters counters)
    {
        ulong[] values = new ulong[EspCounters.Slots];
        for (int i = 0; i < values.Length; i++)
            values[i] = counters[(EspDropReason)i];
        return values;
    }

    public void Dispose()
    {
        Sad.Dispose();
        Encapsulator.Dispose();
        Decapsulator.Dispose();
        Burst.Dispose();
        Pool.Dispose();
        Engine.Dispose();
    }
}
