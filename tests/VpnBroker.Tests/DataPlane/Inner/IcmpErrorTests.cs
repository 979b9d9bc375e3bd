using System.Buffers.Binary;
using System.Net;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Inner;

namespace VpnBroker.Tests.DataPlane.Inner;

public sealed unsafe class IcmpErrorTests
{
    [Fact]
    public void FragmentationNeeded_NamesTheMtuAndQuotesThePacket()
    {
        byte[] error = Write(IcmpErrorKind.TooBig, InnerPackets.Udp("10.1.2.3", "192.0.2.9", 1400), "10.0.0.1", 1280);
        Assert.Equal(IcmpError.MaxIPv4, error.Length);
        Assert.Equal(IPAddress.Parse("10.0.0.1"), new IPAddress(error.AsSpan(12, 4)));
        Assert.Equal(IPAddress.Parse("10.1.2.3"), new IPAddress(error.AsSpan(16, 4)));
        Assert.Equal((3, 4), (error[20], error[21]));
        Assert.Equal(1280, BinaryPrimitives.ReadUInt16BigEndian(error.AsSpan(26)));
        Assert.Equal(InnerPackets.Udp("10.1.2.3", "192.0.2.9", 1400)[..(error.Length - 28)], error[28..]);
        Assert.Equal(0, InnerPackets.Checksum(error.AsSpan(0, 20)));
        Assert.Equal(0, InnerPackets.Checksum(error.AsSpan(20)));
    }

    [Fact]
    public void PacketTooBig_NamesTheMtuAndChecksItsPseudoHeader()
    {
        byte[] error = Write(IcmpErrorKind.TooBig, InnerPackets.Udp("2001:db8::1", "2001:db8::2", 1500), "fd00::1", 1400);
        Assert.Equal(IcmpError.MaxIPv6, error.Length);
        Assert.Equal((2, 0), (error[40], error[41]));
        Assert.Equal(1400u, BinaryPrimitives.ReadUInt32BigEndian(error.AsSpan(44)));
        byte[] pseudo = [.. error[8..40], 0, 0, (byte)((error.Length - 40) >> 8), (byte)(error.Length - 40), 0, 0, 0, 58];
        Assert.Equal(0, InnerPackets.Checksum([.. pseudo, .. error[40..]]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TimeExceededAndNoRoute_HaveTheirTypes(bool ipv6)
    {
        byte[] packet = ipv6 ? InnerPackets.Udp("2001:db8::1", "2001:db8::2", 60) : InnerPackets.Udp("10.1.2.3", "192.0.2.9", 60);
        int at = ipv6 ? 40 : 20;
        Assert.Equal(ipv6 ? (3, 0) : (11, 0), TypeAndCode(Write(IcmpErrorKind.TimeExceeded, packet, null, 0), at));
        Assert.Equal(ipv6 ? (1, 0) : (3, 0), TypeAndCode(Write(IcmpErrorKind.NoRoute, packet, null, 0), at));
        Assert.Equal(ipv6 ? (1, 1) : (3, 13), TypeAndCode(Write(IcmpErrorKind.Prohibited, packet, null, 0), at));
    }

    [Fact]
    public void RouterWithoutAddress_UsesTheDummy()
    {
        // RFC 7600 §6.
        byte[] error = Write(IcmpErrorKind.TimeExceeded, InnerPackets.Udp("10.1.2.3", "192.0.2.9", 60), null, 0);
        Assert.Equal(IPAddress.Parse("192.0.0.8"), new IPAddress(error.AsSpan(12, 4)));
    }

    [Fact]
    public void ErrorsFragmentsAndGroups_GetNoError()
    {
        byte[] plain = InnerPackets.Udp("10.1.2.3", "192.0.2.9", 60);
        Assert.True(IsAllowed(plain));
        Assert.True(IsAllowed(plain, packet => (packet[9], packet[20]) = (1, 8)));
        Assert.False(IsAllowed(plain, packet => (packet[9], packet[20]) = (1, 3)));
        Assert.False(IsAllowed(plain, packet => packet[7] = 1));
        Assert.False(IsAllowed(InnerPackets.Udp("10.1.2.3", "224.0.0.9", 60)));
        Assert.False(IsAllowed(InnerPackets.Udp("0.0.0.0", "192.0.2.9", 60)));
        byte[] ipv6 = InnerPackets.Udp("2001:db8::1", "2001:db8::2", 60);
        Assert.True(IsAllowed(ipv6));
        Assert.True(IsAllowed(ipv6, packet => (packet[6], packet[40]) = (58, 128)));
        Assert.False(IsAllowed(ipv6, packet => (packet[6], packet[40]) = (58, 1)));
        Assert.False(IsAllowed(InnerPackets.Udp("2001:db8::1", "ff02::1", 60)));
    }

    [Fact]
    public void TokenBucket_HoldsBurstAndRate()
    {
        var bucket = new TokenBucket(perSecond: 100, burst: 5, nowNanoseconds: 0);
        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => bucket.TryTake(0)));
        Assert.False(bucket.TryTake(9_999_999));
        Assert.True(bucket.TryTake(10_000_000));
        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => bucket.TryTake(60_000_000_000)));
    }

    private static (int Type, int Code) TypeAndCode(byte[] packet, int at) => (packet[at], packet[at + 1]);

    private static byte[] Write(IcmpErrorKind kind, byte[] offending, string? router, int mtu)
    {
        using var packet = new NativeBuffer(offending, GuardPage.Behind);
        using var room = new NativeBuffer(IcmpError.MaxIPv6, GuardPage.Behind);
        Assert.Equal(DropReason.None, InnerPacket.TryParse(packet.Pointer, packet.Length, out InnerPacket parsed));
        InnerAddress own = InnerAddress.From(router == null ? null : IPAddress.Parse(router));
        int length = IcmpError.Write(kind, packet.Pointer, parsed, own, mtu, room.Pointer);
        return room.Span[..length].ToArray();
    }

    private static bool IsAllowed(byte[] bytes, Action<byte[]>? change = null)
    {
        byte[] copy = [.. bytes];
        change?.Invoke(copy);
        if (copy[0] >> 4 == 4)
            InnerPackets.FixHeaderChecksum(copy);
        using var packet = new NativeBuffer(copy, GuardPage.Behind);
        Assert.Equal(DropReason.None, InnerPacket.TryParse(packet.Pointer, packet.Length, out InnerPacket parsed));
        return IcmpError.IsAllowed(packet.Pointer, parsed);
    }
}
