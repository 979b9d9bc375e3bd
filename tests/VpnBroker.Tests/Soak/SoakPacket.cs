using System.Buffers.Binary;

namespace VpnBroker.Tests.Soak;

/// <summary>
/// Inner packets that tell by themselves whether they arrived as they were sent: header and payload follow from the run's seed, the
/// flow and the number in it, so that nothing is remembered about those on their way.
/// </summary>
internal static class SoakPacket
{
    public const int Mtu = 1400;
    public const int HeaderSize = 20;
    public const byte HopLimit = 64;

    /// <summary>Protocol numbers for experiments (RFC 3692): what must arrive unaltered if at all, and what must never arrive.</summary>
    public const byte Genuine = 253, Poison = 254;

    public const byte Icmp = 1;

    /// <summary>Connections of one user are told apart by this many numbers, which go round.</summary>
    public const int Generations = 64;

    /// <summary>Writes a packet of a flow.</summary>
    /// <returns>Its length.</returns>
    public static int Write(Span<byte> destination, ulong seed, SoakUser from, SoakUser to, int number)
    {
        ulong key = KeyOf(seed, from.Index, from.Generation % Generations, to.Index, number);
        int length = LengthOf(key);
        Span<byte> packet = destination[..length];
        WriteHeader(packet, from.Address, to.Address, Genuine);
        packet[1] = (byte)(from.Generation % Generations << 2);
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)number);
        FixChecksum(packet);
        Fill(packet[HeaderSize..], key);
        return length;
    }

    /// <summary>Writes a header with don't-fragment set.</summary>
    public static void WriteHeader(Span<byte> packet, uint source, uint destination, byte protocol)
    {
        packet[..HeaderSize].Clear();
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
        packet[6] = 0x40;
        packet[8] = HopLimit;
        packet[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(packet[12..], source);
        BinaryPrimitives.WriteUInt32BigEndian(packet[16..], destination);
        FixChecksum(packet);
    }

    /// <summary>What is wrong with a genuine packet's bytes, or null.</summary>
    public static string? Check(ReadOnlySpan<byte> packet, ulong seed, int from, int to, byte hopLimit)
    {
        ulong key = KeyOf(seed, from, packet[1] >> 2, to, BinaryPrimitives.ReadUInt16BigEndian(packet[4..]));
        if (packet.Length != LengthOf(key) || packet.Length != BinaryPrimitives.ReadUInt16BigEndian(packet[2..]))
            return $"it has {packet.Length} bytes instead of {LengthOf(key)}";
        if (packet[0] != 0x45 || (packet[1] & 3) != 0 || packet[6] != 0x40 || packet[7] != 0)
            return "its header was altered";
        if (packet[8] != hopLimit)
            return $"its hop limit is {packet[8]} instead of {hopLimit}";
        if (DataPlane.InnerPackets.Checksum(packet[..HeaderSize]) != 0)
            return "its header checksum is wrong";
        Span<byte> expected = stackalloc byte[Mtu];
        expected = expected[..(packet.Length - HeaderSize)];
        Fill(expected, key);
        int same = expected.CommonPrefixLength(packet[HeaderSize..]);
        return same == expected.Length ? null : $"its payload was altered at byte {same}";
    }

    public static void FixChecksum(Span<byte> packet) => DataPlane.InnerPackets.FixHeaderChecksum(packet);

    /// <summary>Many short ones, many full ones, and every size between.</summary>
    private static int LengthOf(ulong key) => (int)(key >> 60) switch
    {
        < 4 => HeaderSize + (int)(key % 64),
        < 8 => Mtu - (int)(key % 3),
        _ => HeaderSize + (int)(key % (Mtu - HeaderSize + 1)),
    };

    private static void Fill(Span<byte> payload, ulong key)
    {
        while (payload.Length >= 8)
        {
            key = Mix(key);
            BinaryPrimitives.WriteUInt64LittleEndian(payload, key);
            payload = payload[8..];
        }
        for (int i = 0; i < payload.Length; i++)
            payload[i] = (byte)(key >> (8 * i));
    }

    private static ulong KeyOf(ulong seed, int from, int generation, int to, int number) =>
        Mix(Mix(seed ^ ((ulong)from << 32) ^ (uint)to) ^ ((ulong)generation << 32) ^ (uint)number);

    /// <summary>A step of the generator SplitMix64.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E37_79B9_7F4A_7C15;
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }
}
