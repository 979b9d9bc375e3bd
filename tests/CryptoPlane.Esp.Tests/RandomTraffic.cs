using System.Buffers.Binary;
using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Tests;

/// <summary>
/// What several peers and an attacker send: sound packets, in order and out of it, copies in the same burst and later ones, forged,
/// cut, of unknown SAs, and what is no ESP at all. A seed decides everything.
/// </summary>
internal sealed class RandomTraffic
{
    private const int Remembered = 4000;

    private readonly EspForge[] _peers = [.. Enumerable.Range(0, 5).Select(
        tunnel => new EspForge(AlgorithmOf(tunnel), MaterialOf(tunnel), SpiOf(tunnel), IsExtended(tunnel)))];

    private readonly ulong[] _sequences = new ulong[5];
    private readonly List<(byte[] Bytes, EspIngress Ingress)> _sent = [];

    public RandomTraffic(int seed) => Random = new Random(seed);

    public Random Random { get; }

    public static uint SpiOf(int tunnel) => Spi.Create(0, (uint)(1000 + tunnel));

    public static bool IsExtended(int tunnel) => tunnel % 2 == 1;

    public static AeadAlgorithm AlgorithmOf(int tunnel) => (AeadAlgorithm)(1 + (tunnel % 3));

    public static byte[] MaterialOf(int tunnel) => EspTestBed.KeyingMaterial(AlgorithmOf(tunnel), seed: 77 + tunnel);

    public (byte[] Bytes, EspIngress Ingress)[] Next(int count, int seed)
    {
        var packets = new (byte[] Bytes, EspIngress Ingress)[count];
        for (int i = 0; i < count; i++)
            packets[i] = Random.Next(12) switch
            {
                0 when _sent.Count > 0 => _sent[Random.Next(_sent.Count)],
                1 when i > 0 => packets[Random.Next(i)],
                2 => Damage(Fresh(seed)),
                3 => Unknown(Fresh(seed)),
                4 => Cut(Fresh(seed)),
                5 => NotEsp(),
                _ => Remember(Fresh(seed)),
            };
        return packets;
    }

    private (byte[] Bytes, EspIngress Ingress) Fresh(int seed)
    {
        int tunnel = Random.Next(_peers.Length);
        // Mostly the next number; now and then some are left out, and some come late.
        ulong sequence = _sequences[tunnel] += (ulong)(Random.Next(8) == 0 ? Random.Next(1, 100) : 1);
        if (Random.Next(10) == 0)
            sequence = sequence > 400 ? sequence - (ulong)Random.Next(400) : 1;
        byte[] inner = Random.Next(2) == 0 ? InnerPackets.IPv4(Random.Next(28, 200), seed) : InnerPackets.IPv6(Random.Next(48, 200), seed);
        byte[] esp = _peers[tunnel].SealInner(sequence, inner);
        return Random.Next(4) switch
        {
            0 => (InIPv4(esp, 50), EspIngress.IpPacket),
            1 => (InIPv4([0x11, 0x94, 0x11, 0x94, .. Length(esp.Length + 8), 0, 0, .. esp], 17), EspIngress.IpPacket),
            2 => (esp, EspIngress.UdpPayload),
            _ => (esp, EspIngress.Esp),
        };
    }

    private (byte[] Bytes, EspIngress Ingress) Remember((byte[] Bytes, EspIngress Ingress) packet)
    {
        if (_sent.Count < Remembered)
            _sent.Add(packet);
        return packet;
    }

    private (byte[] Bytes, EspIngress Ingress) Damage((byte[] Bytes, EspIngress Ingress) packet)
    {
        packet.Bytes[Random.Next(packet.Bytes.Length)] ^= (byte)(1 << Random.Next(8));
        return packet;
    }

    private (byte[] Bytes, EspIngress Ingress) Unknown((byte[] Bytes, EspIngress Ingress) packet)
    {
        int esp = packet.Ingress != EspIngress.IpPacket ? 0 : packet.Bytes[9] == 50 ? 20 : 28;
        packet.Bytes[esp + 1] ^= (byte)(1 + Random.Next(255));
        return packet;
    }

    private (byte[] Bytes, EspIngress Ingress) Cut((byte[] Bytes, EspIngress Ingress) packet) =>
        (packet.Bytes[..Random.Next(packet.Bytes.Length)], packet.Ingress);

    private (byte[] Bytes, EspIngress Ingress) NotEsp() => Random.Next(4) switch
    {
        0 => ([0xFF], EspIngress.UdpPayload),
        1 => ([0, 0, 0, 0, 1, 2, 3, 4], EspIngress.UdpPayload),
        2 => (InIPv4(new byte[40], 6), EspIngress.IpPacket),
        _ => ([], EspIngress.IpPacket),
    };

    private static byte[] InIPv4(byte[] payload, byte protocol) =>
        [0x45, 0, .. Length(20 + payload.Length), 0, 0, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2, .. payload];

    private static byte[] Length(int length)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)length);
        return bytes;
    }
}
