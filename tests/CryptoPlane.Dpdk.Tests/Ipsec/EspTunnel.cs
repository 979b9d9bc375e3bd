using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Esp;

namespace CryptoPlane.Dpdk.Tests.Ipsec;

/// <summary>One direction of a tunnel between us and the peer, as both are told about it.</summary>
/// <param name="Algorithm">The AEAD.</param>
/// <param name="Device">The crypto device that the peer uses.</param>
/// <param name="Esn">Whether sequence numbers have 64 bits.</param>
/// <param name="OuterIPv6">The family of the outer header.</param>
/// <param name="Udp">Whether ESP is encapsulated in UDP.</param>
/// <param name="InnerIPv6">The family of the inner packets: librte_ipsec has one per SA.</param>
internal sealed record EspTunnel(AeadAlgorithm Algorithm, string Device, bool Esn, bool OuterIPv6, bool Udp, bool InnerIPv6)
{
    /// <summary>The anti-replay window of either side.</summary>
    public const int Window = 256;

    private const ushort SourcePort = 4500, DestinationPort = 45_001;
    private const int AddressBytes = 16;

    /// <summary>The algorithms that ESP has here: all of the engine's.</summary>
    public static IEnumerable<AeadAlgorithm> Algorithms => Enum.GetValues<AeadAlgorithm>().Where(algorithm => algorithm != AeadAlgorithm.None);

    /// <summary>Two SAs of different families share a database.</summary>
    public uint Spi => Esp.Spi.Create(0, InnerIPv6 ? 0x1_0006u : 0x1_0004u);

    private IPAddress Source => IPAddress.Parse(OuterIPv6 ? "2001:db8:1::1" : "192.0.2.1");

    private IPAddress Destination => IPAddress.Parse(OuterIPv6 ? "2001:db8:2::2" : "198.51.100.2");

    /// <summary>Bytes before the ESP header.</summary>
    public int OuterLength => (OuterIPv6 ? 40 : 20) + (Udp ? 8 : 0);

    /// <summary>The key, then the salt; every tunnel has others.</summary>
    public byte[] KeyingMaterial
    {
        get
        {
            byte[] material = new byte[SaParameters.KeyingMaterialSize(Algorithm)];
            new Random(HashOfFlags).NextBytes(material);
            return material;
        }
    }

    private int HashOfFlags => ((int)Algorithm * 16) + (Esn ? 8 : 0) + (OuterIPv6 ? 4 : 0) + (Udp ? 2 : 0) + (InnerIPv6 ? 1 : 0);

    public OutboundSaParameters Outbound(ulong first) => new()
    {
        Spi = Spi,
        Algorithm = Algorithm,
        ExtendedSequenceNumbers = Esn,
        OuterHeader = Udp ? EspOuterHeader.IpUdp : EspOuterHeader.Ip,
        Source = Source,
        Destination = Destination,
        SourcePort = SourcePort,
        DestinationPort = DestinationPort,
        FirstSequence = first,
    };

    public InboundSaParameters Inbound(ulong highest) => new()
    {
        Spi = Spi,
        Algorithm = Algorithm,
        ExtendedSequenceNumbers = Esn,
        ReplayWindow = Window,
        HighestSequence = highest,
    };

    /// <summary>The struct peer_sa_request of <c>peer.h</c>.</summary>
    public byte[] PeerRequest(bool opens, ulong sequence)
    {
        byte[] material = KeyingMaterial;
        byte[] key = material[..^SaParameters.SaltSize], salt = material[^SaParameters.SaltSize..];
        using var request = new MemoryStream();
        using var writer = new BinaryWriter(request);
        writer.Write(IpsecPeer.NumberOf(Device));
        foreach (bool flag in (bool[])[opens, Algorithm == AeadAlgorithm.ChaCha20Poly1305, Esn, InnerIPv6, OuterIPv6, Udp])
            writer.Write(flag);
        writer.Write((byte)key.Length);
        writer.Write(Spi);
        writer.Write((uint)Window);
        writer.Write(sequence);
        writer.Write([.. key, .. new byte[32 - key.Length], .. salt]);
        foreach (IPAddress address in (IPAddress[])[Source, Destination])
        {
            byte[] bytes = address.GetAddressBytes();
            writer.Write([.. bytes, .. new byte[AddressBytes - bytes.Length]]);
        }
        writer.Write(SourcePort);
        writer.Write(DestinationPort);
        return request.ToArray();
    }
}
