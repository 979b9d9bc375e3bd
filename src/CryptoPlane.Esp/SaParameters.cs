using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Cbc;

namespace CryptoPlane.Esp;

/// <summary>What both directions of a security association need to know (RFC 4301 §4.4.2.1); the key is given apart from it.</summary>
public abstract class SaParameters
{
    /// <summary>Bytes of salt behind the key in keying material (RFC 4106 §8.1, RFC 7634 §2).</summary>
    public const int SaltSize = 4;

    /// <summary>Most selectors of one end: every packet of an SA may have to be compared with all of them.</summary>
    public const int MaxSelectors = 64;

    /// <summary>The security parameters index, 256 or above. Inbound: ours, made by <see cref="Esp.Spi.Create"/>. Outbound: the peer's.</summary>
    public required uint Spi { get; init; }

    /// <summary>The AEAD: AES-GCM with a 16-byte ICV (RFC 4106), or ChaCha20-Poly1305 (RFC 7634). Either it or <see cref="Cbc"/>.</summary>
    public AeadAlgorithm? Algorithm { get; init; }

    /// <summary>The cipher of an SA without an AEAD.</summary>
    public EspCbcAlgorithm? Cbc { get; init; }

    /// <summary>
    /// Tunnel or transport mode. In transport mode inbound packets must come with their IP header
    /// (<see cref="EspIngress.IpPacket"/>), and outbound ones keep theirs unless the port makes it (<see cref="EspOuterHeader.None"/>).
    /// </summary>
    public SaMode Mode { get; init; }

    /// <summary>Whether sequence numbers have 64 bits, of which the lower half is sent (RFC 4303 §2.2.1).</summary>
    public bool ExtendedSequenceNumbers { get; init; }

    /// <summary>How much the SA may carry.</summary>
    public SaLifetime Lifetime { get; init; }

    /// <summary>What the peer's end of the SA may be (RFC 4301 §4.4.1.1), at most <see cref="MaxSelectors"/>; none for anything.</summary>
    public IReadOnlyList<EspSelector> RemoteSelectors { get; init; } = [];

    /// <summary>What our end of the SA may be, at most <see cref="MaxSelectors"/>; none for anything.</summary>
    public IReadOnlyList<EspSelector> LocalSelectors { get; init; } = [];

    /// <summary>The owner's own: a tunnel's index, say. It is in the SA as it is here.</summary>
    public ulong UserData { get; init; }

    /// <summary>Bytes of keying material for an algorithm: the key, then the salt.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The algorithm is not one of the engine's.</exception>
    public static int KeyingMaterialSize(AeadAlgorithm algorithm) => AeadSizes.Key(algorithm) + SaltSize;

    /// <summary>Bytes of keying material for a cipher without an AEAD: its key, then that of HMAC-SHA-256 (RFC 7296 §2.17).</summary>
    public static int KeyingMaterialSize(EspCbcAlgorithm algorithm) => EncryptionKeySize(algorithm) + CbcHmacKey.IntegrityKey;

    /// <summary>What sets the SA apart from an AEAD's in tunnel mode.</summary>
    internal SaForm Form => (Cbc == null ? SaForm.AeadTunnel : SaForm.Cbc) | (Mode == SaMode.Transport ? SaForm.Transport : SaForm.AeadTunnel);

    internal void Validate(ReadOnlySpan<byte> keyingMaterial)
    {
        if (Algorithm == null == (Cbc == null))
            throw new ArgumentException("An SA has either an AEAD algorithm or a CBC one.");
        if (Spi < Esp.Spi.FirstUsable)
            throw new ArgumentException($"SPI {Spi} is reserved (RFC 4303 §2.1): take one from {Esp.Spi.FirstUsable} up.");
        int size = Algorithm is AeadAlgorithm aead ? KeyingMaterialSize(aead) : KeyingMaterialSize(Cbc.GetValueOrDefault());
        if (keyingMaterial.Length != size)
        {
            string second = Algorithm != null ? $"{SaltSize} bytes of salt" : $"{CbcHmacKey.IntegrityKey} bytes for integrity";
            throw new ArgumentException(
                $"{(Algorithm != null ? Algorithm : Cbc)} takes {size} bytes of keying material (the key, then {second}), not {keyingMaterial.Length}.",
                nameof(keyingMaterial));
        }
        Validate(RemoteSelectors);
        Validate(LocalSelectors);
    }

    /// <exception cref="ArgumentOutOfRangeException">The algorithm is none of the list.</exception>
    internal static int EncryptionKeySize(EspCbcAlgorithm algorithm) => algorithm switch
    {
        EspCbcAlgorithm.Aes128HmacSha256 => 16,
        EspCbcAlgorithm.Aes256HmacSha256 => 32,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "There is no such algorithm."),
    };

    private static void Validate(IReadOnlyList<EspSelector> selectors)
    {
        ArgumentNullException.ThrowIfNull(selectors);
        if (selectors.Count > MaxSelectors)
            throw new ArgumentException($"An end of an SA has at most {MaxSelectors} selectors, not {selectors.Count}.");
        foreach (EspSelector selector in selectors)
            selector.Validate();
    }
}

/// <summary>What an <see cref="OutboundSa"/> is made of.</summary>
public sealed class OutboundSaParameters : SaParameters
{
    /// <summary>What is put before the ESP header.</summary>
    public EspOuterHeader OuterHeader { get; init; }

    /// <summary>Our outer address; needed where an outer header is made.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>The peer's outer address, of the same family; needed where an outer header is made.</summary>
    public IPAddress? Destination { get; init; }

    /// <summary>Our UDP port, for <see cref="EspOuterHeader.IpUdp"/>.</summary>
    public ushort SourcePort { get; init; } = 4500;

    /// <summary>The peer's UDP port, for <see cref="EspOuterHeader.IpUdp"/>.</summary>
    public ushort DestinationPort { get; init; } = 4500;

    /// <summary>TTL or hop limit of the outer header.</summary>
    public byte HopLimit { get; init; } = 64;

    /// <summary>The don't-fragment bit of an outer IPv4 header.</summary>
    public EspDfPolicy DontFragment { get; init; }

    /// <summary>
    /// Longest packet that the SA makes, in bytes from the first header that it makes itself: the path's MTU, less what the port puts
    /// before it. 0 for no limit but IP's. <see cref="OutboundSa.SetMaxPacket"/> changes it when the path does.
    /// </summary>
    public int MaxPacket { get; init; }

    /// <summary>
    /// Traffic-flow confidentiality: inner packets that are shorter are padded to this length (RFC 4303 §2.7), as far as
    /// <see cref="MaxPacket"/> allows, so that an observer cannot tell them apart. 0 for none. Buffers need the tailroom.
    /// </summary>
    public int PadTo { get; init; }

    /// <summary>
    /// First sequence number to use, from 1. An SA whose key outlives the process must begin above every number that was ever used:
    /// the IV is the sequence number, and an IV that repeats under one key gives the key away.
    /// </summary>
    public ulong FirstSequence { get; init; } = 1;

    /// <summary>Last sequence number that is reserved for this SA; <see cref="OutboundSa.RaiseSequenceLimit"/> raises it.</summary>
    public ulong SequenceLimit { get; init; } = ulong.MaxValue;
}

/// <summary>What an <see cref="InboundSa"/> is made of.</summary>
public sealed class InboundSaParameters : SaParameters
{
    /// <summary>Packets that the anti-replay window covers, from 64 to 4096.</summary>
    public int ReplayWindow { get; init; } = 1024;

    /// <summary>
    /// Highest sequence number that counts as received: it and everything below it is refused. 0 for a fresh SA.
    /// </summary>
    public ulong HighestSequence { get; init; }
}
