namespace CryptoPlane.Esp.Tests;

public sealed class EspOverheadTests
{
    [Theory]
    [InlineData(1500, false, false, 1446)]
    [InlineData(1500, false, true, 1438)]
    [InlineData(1500, true, false, 1426)]
    [InlineData(1500, true, true, 1418)]
    [InlineData(1280, true, true, 1198)]
    [InlineData(60, false, false, 0)]
    [InlineData(0, false, false, 0)]
    public void The_largest_inner_packet_for_a_path(int mtu, bool ipv6, bool udp, int expected) =>
        Assert.Equal(expected, EspOverhead.MaxInnerPacket(mtu, ipv6, udp));

    [Fact]
    public void The_largest_inner_packet_fits_and_one_byte_more_does_not()
    {
        for (int mtu = 100; mtu < 2000; mtu++)
        {
            foreach (bool ipv6 in (bool[])[false, true])
            {
                foreach (bool udp in (bool[])[false, true])
                {
                    int outer = (ipv6 ? 40 : 20) + (udp ? 8 : 0);
                    int inner = EspOverhead.MaxInnerPacket(mtu, ipv6, udp);
                    if (inner == 0)
                        continue;
                    Assert.True(outer + EspOverhead.EspLength(inner) <= mtu);
                    Assert.True(outer + EspOverhead.EspLength(inner + 1) > mtu);
                }
            }
        }
    }
}
