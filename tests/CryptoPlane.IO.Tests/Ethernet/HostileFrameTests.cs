using System.Buffers.Binary;
using CryptoPlane.IO.Ethernet;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>
/// Frames that are cut, whose lengths lie, or that were changed at random. Each goes to two stations: behind its end, one's buffer has zeros
/// and the other's the rest of the frame as it was. What they do is the same, so that nothing behind the frame's end has counted.
/// </summary>
public sealed class HostileFrameTests
{
    public static TheoryData<EthernetRole, bool> Stations => new()
    {
        { EthernetRole.Outside, true }, { EthernetRole.Outside, false }, { EthernetRole.Inside, true }, { EthernetRole.Inside, false },
    };

    [Theory]
    [MemberData(nameof(Stations))]
    public void Frames_are_cut_at_every_byte(EthernetRole role, bool kernel)
    {
        using var pair = new Pair(role, kernel);
        foreach ((string kind, byte[] frame) in FrameKinds.All)
        {
            for (int length = 0; length < frame.Length; length++)
                Assert.False(pair.Hear(frame[..length], frame), $"{kind}, cut after {length} bytes, was delivered.");
            pair.Hear(frame, frame);
        }
        pair.AssertAlike();
    }

    [Theory]
    [MemberData(nameof(Stations))]
    public void Packets_say_every_length(EthernetRole role, bool kernel)
    {
        using var pair = new Pair(role, kernel);
        foreach (byte[] frame in FrameKinds.All.Values)
        {
            int? field = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12)) switch
            {
                FrameForge.TypeIPv4 => 16,
                FrameForge.TypeIPv6 => 18,
                _ => null,
            };
            for (int length = 0; field != null && length <= frame.Length + 8; length++)
            {
                byte[] lying = [.. frame];
                BinaryPrimitives.WriteUInt16BigEndian(lying.AsSpan(field.Value), (ushort)length);
                FrameForge.MendChecksums(lying);
                pair.Hear(lying, frame);
                // And a frame that ends there.
                int end = length + (field == 16 ? 14 : 54);
                if (end < frame.Length)
                    pair.Hear(lying[..end], frame);
            }
        }
        pair.AssertAlike();
    }

    [Theory]
    [MemberData(nameof(Stations))]
    public void A_hundred_thousand_changed_frames_in_all_do_no_harm(EthernetRole role, bool kernel)
    {
        using var pair = new Pair(role, kernel);
        byte[][] kinds = [.. FrameKinds.All.Values];
        var random = new Random(20261121 + ((int)role * 2) + (kernel ? 1 : 0));
        for (int i = 0; i < 25_000; i++)
        {
            byte[] kind = kinds[random.Next(kinds.Length)], frame = Change(kind, kinds[random.Next(kinds.Length)], random);
            // Half of them have right checksums, with which they come further.
            if (random.Next(2) == 0)
                FrameForge.MendChecksums(frame);
            pair.Hear(frame, kind);
            if (random.Next(100) == 0)
                pair.Tick(random.NextInt64(2 * Station.Second));
        }
        pair.AssertAlike();
    }

    private static byte[] Change(byte[] frame, byte[] other, Random random)
    {
        byte[] changed = [.. frame];
        for (int times = random.Next(1, 5); times > 0 && changed.Length > 0; times--)
        {
            int at = random.Next(changed.Length);
            // Most of what matters is at the front.
            if (random.Next(2) == 0)
                at = Math.Min(at, random.Next(64));
            switch (random.Next(6))
            {
                case 0:
                    changed[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    changed[at] = (byte)random.Next(256);
                    break;
                case 2:
                    changed[at] = (byte)(random.Next(2) * 0xFF);
                    break;
                case 3:
                    changed = changed[..at];
                    break;
                case 4:
                    byte[] more = new byte[random.Next(80)];
                    random.NextBytes(more);
                    changed = [.. changed, .. more];
                    break;
                default:
                    int some = Math.Min(random.Next(1, 17), Math.Min(changed.Length, other.Length) - at);
                    if (some > 0)
                        other.AsSpan(at, some).CopyTo(changed.AsSpan(at));
                    break;
            }
        }
        return changed;
    }

    /// <summary>Two stations of the same configuration that differ in what their buffers had in them before.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly EthernetRole _role;
        private readonly Station _zeros, _used;

        public Pair(EthernetRole role, bool kernel)
        {
            _role = role;
            _zeros = new Station(role, kernel, neighbours: 32, gateways: ["10.0.255.254", "fe80::fe"]);
            _used = new Station(role, kernel, neighbours: 32, gateways: ["10.0.255.254", "fe80::fe"]);
        }

        /// <summary>Lets a frame come to both, to one of them into a buffer that held an earlier one.</summary>
        /// <returns>Whether it was delivered.</returns>
        public bool Hear(byte[] frame, byte[] earlier)
        {
            _used.Link.Earlier = earlier;
            List<byte[]> packets = _zeros.Hear(frame);
            AssertSame(packets, _used.Hear(frame), frame);
            AssertSame(_zeros.ToKernel(), _used.ToKernel(), frame);
            AssertSame(_zeros.Sent(), _used.Sent(), frame);
            packets.ForEach(packet => AssertWhole(packet));
            _zeros.AssertEveryFrameIsAccountedFor();
            return packets.Count > 0;
        }

        public void Tick(long after)
        {
            _zeros.Tick(after);
            _used.Tick(after);
            // Neighbours that were heard of are used, so that there is something to ask and to forget.
            AssertSame(_zeros.SendTo("10.0.0.2"), _used.SendTo("10.0.0.2"), []);
            AssertSame(_zeros.SendTo("fd00::2"), _used.SendTo("fd00::2"), []);
        }

        public void AssertAlike()
        {
            _used.AssertEveryFrameIsAccountedFor();
            Assert.Equal(_zeros.Port.NeighbourCount, _used.Port.NeighbourCount);
            Assert.True(_zeros.Counters.ReceivedPackets > 0);
            foreach (EthernetDrop reason in Enum.GetValues<EthernetDrop>())
                Assert.Equal(_zeros.Counters[reason], _used.Counters[reason]);
        }

        public void Dispose()
        {
            _zeros.Dispose();
            _used.Dispose();
        }

        /// <summary>What an lcore gets is one whole IP packet, for it.</summary>
        private void AssertWhole(byte[] packet)
        {
            bool isV4 = packet[0] >> 4 == 4;
            if (isV4)
            {
                Assert.Equal(packet.Length, BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(2)));
                Assert.Equal(0, FrameForge.Checksum(packet.AsSpan(0, (packet[0] & 15) * 4)));
            }
            else
            {
                Assert.Equal(6, packet[0] >> 4);
                Assert.Equal(packet.Length - 40, BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(4)));
            }
            byte[] own = System.Net.IPAddress.Parse(isV4 ? Station.IPv4 : Station.IPv6).GetAddressBytes();
            bool isOurs = packet.AsSpan(isV4 ? 16 : 24, own.Length).SequenceEqual(own);
            Assert.Equal(_role == EthernetRole.Outside, isOurs);
            Assert.False(packet.AsSpan(isV4 ? 12 : 8, own.Length).SequenceEqual(own));
            if (isOurs)
                Assert.Contains(packet[isV4 ? 9 : 6], (byte[])[FrameForge.Esp, FrameForge.Udp]);
        }

        private static void AssertSame(List<byte[]> zeros, List<byte[]> used, byte[] frame)
        {
            if (zeros.Count == used.Count && zeros.Zip(used).All(both => both.First.AsSpan().SequenceEqual(both.Second)))
                return;
            Assert.Fail($"What lay behind the frame {Convert.ToHexString(frame)} was read.");
        }
    }
}
