using System.Buffers.Binary;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Queueing;

namespace VpnBroker.Tests.DataPlane.Queueing;

public sealed unsafe class PacketClassifierTests
{
    private static readonly TrafficConfig s_traffic = new()
    {
        Classes =
        [
            new TrafficClassConfig
            {
                Name = "voice",
                Matches = [new TrafficMatchConfig { Dscp = [46, 44] }, new TrafficMatchConfig { Protocol = 17, Ports = [(5060, 5061), (16384, 16400)] }],
            },
            new TrafficClassConfig { Name = "chiefs", Matches = [new TrafficMatchConfig { Users = ["ann"], Groups = ["board"] }] },
            new TrafficClassConfig { Name = "backup", Matches = [new TrafficMatchConfig { Groups = ["servers"], Protocol = 6, Ports = [(873, 873)] }] },
            new TrafficClassConfig { Name = "icmp", Matches = [new TrafficMatchConfig { Protocol = 1 }] },
            new TrafficClassConfig { Name = "rest" },
        ],
    };

    private readonly PacketClassifier _classifier = new(s_traffic);

    [Fact]
    public void TheFirstRuleThatMatchesCounts()
    {
        Assert.Equal("rest", Classify(Packet(17, 1000, 2000)));
        Assert.Equal("voice", Classify(Packet(17, 1000, 5061)));
        Assert.Equal("voice", Classify(Packet(17, 16390, 9)));
        Assert.Equal("rest", Classify(Packet(6, 1000, 5060)));
        Assert.Equal("voice", Classify(Packet(6, 1, 2, dscp: 46)));
        Assert.Equal("icmp", Classify(Packet(1, 5060, 5060)));
        Assert.Equal("voice", Classify(Packet(17, 5060, 2000), _classifier.RulesAbout("ann", [])));
        Assert.Equal("chiefs", Classify(Packet(17, 1000, 2000), _classifier.RulesAbout("ann", [])));
        Assert.Equal("chiefs", Classify(Packet(17, 1000, 2000), _classifier.RulesAbout("bob", ["staff", "board"])));
        Assert.Equal("rest", Classify(Packet(6, 1000, 873), _classifier.RulesAbout("bob", ["staff"])));
        Assert.Equal("backup", Classify(Packet(6, 1000, 873), _classifier.RulesAbout("bob", ["servers"])));
        Assert.Equal("rest", Classify(Packet(17, 1000, 873), _classifier.RulesAbout("bob", ["servers"])));
    }

    [Fact]
    public void IPv6_IsReadLikeIPv4()
    {
        Assert.Equal("voice", Classify(PacketV6(17, 5060, 1)));
        Assert.Equal("voice", Classify(PacketV6(6, 1, 1, dscp: 44)));
        Assert.Equal("rest", Classify(PacketV6(6, 5060, 1)));
        // An extension header hides the ports.
        Assert.Equal("rest", Classify(PacketV6(60, 5060, 5060)));
    }

    [Fact]
    public void WhatHasNoPorts_MatchesNoRuleAboutPorts()
    {
        byte[] fragment = Packet(17, 5060, 5060);
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(6), 0x2001);
        Assert.Equal("rest", Classify(fragment));
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(6), 0x2000);
        Assert.Equal("voice", Classify(fragment));
        byte[] options = Packet(17, 5060, 5060);
        options[0] = 0x4F;
        Assert.Equal("rest", Classify(options));
    }

    [Fact]
    public void TruncatedAndRandomPackets_AreReadWithinTheirBounds()
    {
        foreach (byte[] packet in (byte[][])[Packet(17, 5060, 5060), PacketV6(17, 5060, 5060)])
        {
            for (int length = packet[0] == 0x45 ? 20 : 40; length <= packet.Length; length++)
            {
                using var guarded = new CryptoPlane.TestKit.NativeBuffer(length);
                packet.AsSpan(0, length).CopyTo(guarded.Span);
                bool hasPorts = length >= (packet[0] == 0x45 ? 24 : 44);
                Assert.Equal(hasPorts ? "voice" : "rest", s_traffic.Classes[_classifier.Classify(guarded.Pointer, length, 0)].Name);
            }
        }
        var random = new Random(9);
        for (int step = 0; step < 50_000; step++)
        {
            byte[] bytes = new byte[random.Next(40, 80)];
            random.NextBytes(bytes);
            bytes[0] = (byte)((random.Next(2) == 0 ? 0x40 : 0x60) | (bytes[0] & 0x0F));
            Assert.Contains(Classify(bytes, ulong.MaxValue >> 58), s_traffic.Classes.Select(one => one.Name));
        }
    }

    private string Classify(byte[] packet, ulong about = 0)
    {
        fixed (byte* data = packet)
            return s_traffic.Classes[_classifier.Classify(data, packet.Length, about)].Name;
    }

    private static byte[] Packet(byte protocol, ushort from, ushort to, int dscp = 0)
    {
        byte[] packet = new byte[40];
        packet[0] = 0x45;
        packet[1] = (byte)(dscp << 2);
        packet[9] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(20), from);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(22), to);
        return packet;
    }

    private static byte[] PacketV6(byte protocol, ushort from, ushort to, int dscp = 0)
    {
        byte[] packet = new byte[48];
        BinaryPrimitives.WriteUInt32BigEndian(packet, 0x6000_0000u | ((uint)dscp << 22));
        packet[6] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(40), from);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(42), to);
        return packet;
    }
}
