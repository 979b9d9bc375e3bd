using System.Buffers.Binary;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp.Tests.Wire;

public sealed unsafe class EcnTests
{
    private const byte N = 0, E1 = 1, E0 = 2, CE = 3, Drop = 0xFF;

    /// <summary>RFC 6040 §4.2, figure 4: rows are the inner field, columns the outer one, both as not-ECT, ECT(0), ECT(1), CE.</summary>
    public static TheoryData<byte, byte, byte> Figure4()
    {
        byte[] order = [N, E0, E1, CE];
        byte[,] figure =
        {
            { N, N, N, Drop },
            { E0, E0, E1, CE },
            { E1, E1, E1, CE },
            { CE, CE, CE, CE },
        };
        var data = new TheoryData<byte, byte, byte>();
        for (int inner = 0; inner < 4; inner++)
        {
            for (int outer = 0; outer < 4; outer++)
                data.Add(order[inner], order[outer], figure[inner, outer]);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Figure4))]
    public void The_table_holds(byte inner, byte outer, byte expected)
    {
        bool delivered = Ecn.TryDecapsulate(inner, outer, out byte ecn);
        Assert.Equal(expected != Drop, delivered);
        if (delivered)
            Assert.Equal(expected, ecn);
    }

    [Theory]
    [MemberData(nameof(Figure4))]
    public void Congestion_marked_on_the_way_reaches_the_inner_packet(byte inner, byte outer, byte expected)
    {
        foreach (bool innerIPv6 in (bool[])[false, true])
        {
            foreach (bool outerIPv6 in (bool[])[false, true])
            {
                using var bed = new EspTestBed();
                (nint o, _) = bed.AddLoop(outer: EspOuterHeader.Ip, outerIPv6: outerIPv6);
                byte trafficClass = (byte)(0xB8 | inner);
                byte[] sent = innerIPv6 ? InnerPackets.IPv6(100, 1, trafficClass) : InnerPackets.IPv4(100, 1, trafficClass);
                byte[] wire = bed.Seal((OutboundSa*)o, sent);
                SetEcn(wire, outer);
                Opened opened = bed.Open(wire, EspIngress.IpPacket);
                if (expected == Drop)
                {
                    Assert.Equal(EspDropReason.CongestionMarked, opened.Reason);
                    continue;
                }
                byte[] wanted = innerIPv6 ? InnerPackets.IPv6(100, 1, (byte)(0xB8 | expected)) : InnerPackets.IPv4(100, 1, (byte)(0xB8 | expected));
                Assert.Equal(wanted, opened.Inner);
            }
        }
    }

    private static void SetEcn(byte[] packet, byte ecn)
    {
        if (packet[0] >> 4 == 4)
        {
            packet[1] = (byte)((packet[1] & 0xFC) | ecn);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), 0);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), InnerPackets.Checksum(packet.AsSpan(0, 20)));
        }
        else
        {
            packet[1] = (byte)((packet[1] & 0xCF) | (ecn << 4));
        }
    }
}
