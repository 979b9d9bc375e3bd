using System.Net;
using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Tests;

/// <summary>An SA that is not an AEAD's in tunnel mode, in both directions.</summary>
internal sealed unsafe record FormSa(EspCbcAlgorithm? Cbc, SaMode Mode, bool Esn)
{
    /// <summary>All of them.</summary>
    public static FormSa[] All { get; } =
    [
        .. from cbc in (EspCbcAlgorithm?[])[EspCbcAlgorithm.Aes128HmacSha256, EspCbcAlgorithm.Aes256HmacSha256, null]
           from mode in (SaMode[])[SaMode.Tunnel, SaMode.Transport]
           from esn in (bool[])[false, true]
           where cbc != null || mode == SaMode.Transport
           select new FormSa(cbc, mode, esn),
    ];

    public static uint Spi { get; } = Esp.Spi.Create(3, 0x00AB_CDEF);

    public AeadAlgorithm? Aead => Cbc == null ? AeadAlgorithm.Aes128Gcm : null;

    public byte[] Material { get; } = NewMaterial(Cbc);

    public OutboundSa* AddOutbound(EspTestBed bed, EspOuterHeader outer, bool outerIPv6 = false, ulong first = 1, int padTo = 0, int maxPacket = 0) => bed.AddOutbound(
        new OutboundSaParameters
        {
            Spi = Spi,
            Algorithm = Aead,
            Cbc = Cbc,
            Mode = Mode,
            ExtendedSequenceNumbers = Esn,
            OuterHeader = outer,
            Source = IPAddress.Parse(outerIPv6 ? "2001:db8:1::1" : "192.0.2.1"),
            Destination = IPAddress.Parse(outerIPv6 ? "2001:db8:2::2" : "198.51.100.2"),
            FirstSequence = first,
            PadTo = padTo,
            MaxPacket = maxPacket,
        },
        Material);

    public InboundSa* AddInbound(EspTestBed bed, ulong highest = 0, params EspSelector[] remote) => bed.AddInbound(
        new InboundSaParameters
        {
            Spi = Spi,
            Algorithm = Aead,
            Cbc = Cbc,
            Mode = Mode,
            ExtendedSequenceNumbers = Esn,
            HighestSequence = highest,
            RemoteSelectors = remote,
        },
        Material);

    private static byte[] NewMaterial(EspCbcAlgorithm? cbc)
    {
        byte[] material = new byte[cbc == null ? 20 : SaParameters.KeyingMaterialSize(cbc.Value)];
        new Random(4868).NextBytes(material);
        return material;
    }
}
