namespace CryptoPlane.Esp.Tests;

public sealed unsafe class UdpEncapsulationTests
{
    [Theory]
    [InlineData("", UdpPayloadKind.Malformed)]
    [InlineData("FF", UdpPayloadKind.Keepalive)]
    [InlineData("FE", UdpPayloadKind.Malformed)]
    [InlineData("00", UdpPayloadKind.Malformed)]
    [InlineData("FFFF", UdpPayloadKind.Malformed)]
    [InlineData("000000", UdpPayloadKind.Malformed)]
    [InlineData("00000000", UdpPayloadKind.NonEsp)]
    [InlineData("00000000AABB", UdpPayloadKind.NonEsp)]
    [InlineData("00000001", UdpPayloadKind.Esp)]
    [InlineData("01000000AABB", UdpPayloadKind.Esp)]
    public void Datagrams_are_told_apart(string payload, UdpPayloadKind expected) =>
        Assert.Equal(expected, UdpEncapsulation.Classify(Convert.FromHexString(payload)));

    [Fact]
    public void IKE_and_keepalives_pass_by_in_a_datagram_and_in_a_whole_packet()
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop(outer: EspOuterHeader.IpUdp);
        byte[] inner = InnerPackets.IPv4(80);
        byte[] wire = bed.Seal((OutboundSa*)o, inner);
        byte[] header = wire[..28];
        byte[] ike = [0, 0, 0, 0, .. new byte[40]];

        Assert.Equal(EspStatus.NotEsp, bed.Open(ike, EspIngress.UdpPayload).Status);
        Assert.Equal(EspStatus.Keepalive, bed.Open([0xFF], EspIngress.UdpPayload).Status);
        Assert.Equal(EspDropReason.Truncated, bed.Open([1, 2, 3], EspIngress.UdpPayload).Reason);
        Assert.Equal(EspStatus.NotEsp, bed.Open(Packet(header, ike), EspIngress.IpPacket).Status);
        Assert.Equal(EspStatus.Keepalive, bed.Open(Packet(header, [0xFF]), EspIngress.IpPacket).Status);
        Assert.Equal(1u, bed.Decapsulator.Drops.TotalDropped);
        Assert.Equal(inner, bed.Open(wire.AsSpan(28), EspIngress.UdpPayload).Inner);
    }

    private static byte[] Packet(byte[] header, byte[] payload)
    {
        byte[] packet = [.. header, .. payload];
        packet[2] = 0;
        packet[3] = (byte)packet.Length;
        packet[24] = 0;
        packet[25] = (byte)(8 + payload.Length);
        return packet;
    }
}
