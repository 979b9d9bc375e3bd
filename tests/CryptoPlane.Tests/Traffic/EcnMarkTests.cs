using CryptoPlane.Traffic;

namespace CryptoPlane.Tests.Traffic;

public sealed unsafe class EcnMarkTests
{
    [Fact]
    public void An_IPv4_packet_of_a_capable_transport_is_marked_and_its_checksum_is_right()
    {
        var random = new Random(3);
        for (int step = 0; step < 10_000; step++)
        {
            byte[] packet = new byte[40];
            random.NextBytes(packet);
            packet[0] = 0x45;
            SetChecksum(packet);
            byte[] before = [.. packet];
            bool isCapable = (packet[1] & 3) != 0;
            fixed (byte* data = packet)
                Assert.Equal(isCapable, EcnMark.TryMark(data, packet.Length));
            Assert.Equal(0xFFFF, Sum(packet));
            Assert.Equal(isCapable ? before[1] | 3 : before[1], packet[1]);
            before.AsSpan(12).SequenceEqual(packet.AsSpan(12));
            Assert.Equal(before.AsSpan(12), packet.AsSpan(12));
            Assert.Equal(before.AsSpan(2, 8), packet.AsSpan(2, 8));
        }
    }

    [Fact]
    public void An_IPv6_packet_is_marked_in_its_traffic_class_and_nowhere_else()
    {
        for (int trafficClass = 0; trafficClass < 256; trafficClass++)
        {
            byte[] packet = new byte[40];
            packet[0] = (byte)(0x60 | (trafficClass >> 4));
            packet[1] = (byte)((trafficClass << 4) | 0x0A);
            fixed (byte* data = packet)
                Assert.Equal((trafficClass & 3) != 0, EcnMark.TryMark(data, packet.Length));
            int expected = (trafficClass & 3) != 0 ? trafficClass | 3 : trafficClass;
            Assert.Equal(0x60 | (expected >> 4), packet[0]);
            Assert.Equal((byte)((expected << 4) | 0x0A), packet[1]);
        }
    }

    [Theory]
    [InlineData(0x45, 20)]
    [InlineData(0x60, 40)]
    [InlineData(0x50, 60)]
    [InlineData(0x00, 60)]
    public void What_is_cut_off_or_no_IP_is_not_touched(byte first, int header)
    {
        for (int length = 0; length <= header; length++)
        {
            byte[] packet = new byte[64];
            Array.Fill(packet, (byte)0xFF);
            packet[0] = first;
            bool isWhole = length == header && first is 0x45 or 0x60 && length == header;
            byte[] before = [.. packet];
            fixed (byte* data = packet)
                Assert.Equal(isWhole, EcnMark.TryMark(data, length));
            if (!isWhole)
                Assert.Equal(before, packet);
        }
    }

    private static void SetChecksum(byte[] packet)
    {
        packet[10] = packet[11] = 0;
        int checksum = ~Sum(packet) & 0xFFFF;
        packet[10] = (byte)(checksum >> 8);
        packet[11] = (byte)checksum;
    }

    private static int Sum(byte[] packet)
    {
        int sum = 0;
        for (int i = 0; i < 20; i += 2)
            sum += (packet[i] << 8) | packet[i + 1];
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (sum & 0xFFFF) + (sum >> 16);
    }
}
