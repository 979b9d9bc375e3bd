using System.Net;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Inner;

namespace VpnBroker.Tests.DataPlane.Inner;

public sealed unsafe class InnerPacketTests
{
    [Theory]
    [InlineData("10.1.2.3", "192.0.2.9", 28)]
    [InlineData("2001:db8::1", "2001:db8:ffff::2", 48)]
    [InlineData("10.1.2.3", "192.0.2.9", 1400)]
    [InlineData("2001:db8::1", "2001:db8:ffff::2", 1400)]
    public void SoundPacket_IsMeasured(string from, string to, int length)
    {
        using var packet = new NativeBuffer([.. InnerPackets.Udp(from, to, length), 1, 2, 3], GuardPage.Behind);
        Assert.Equal(DropReason.None, InnerPacket.TryParse(packet.Pointer, packet.Length, out InnerPacket parsed));
        Assert.Equal(length, parsed.Length);
        Assert.Equal(IPAddress.Parse(from), parsed.Source.ToIPAddress());
        Assert.Equal(IPAddress.Parse(to), parsed.Destination.ToIPAddress());
    }

    [Theory]
    [InlineData("10.1.2.3", "192.0.2.9")]
    [InlineData("2001:db8::1", "2001:db8:ffff::2")]
    public void EveryTruncation_IsMalformed(string from, string to)
    {
        byte[] whole = InnerPackets.Udp(from, to, 90);
        for (int length = 0; length < whole.Length; length++)
        {
            using var cut = new NativeBuffer(whole.AsSpan(0, length), GuardPage.Behind);
            Assert.Equal(DropReason.InnerMalformed, InnerPacket.TryParse(cut.Pointer, length, out _));
        }
    }

    [Fact]
    public void OptionsAndExtensionHeaders_AreTolerated()
    {
        byte[] options = InnerPackets.Udp("10.1.2.3", "192.0.2.9", 100);
        options[0] = 0x4F; // 40 bytes of options
        InnerPackets.FixHeaderChecksum(options);
        byte[] extensions = InnerPackets.Udp("2001:db8::1", "2001:db8::2", 100);
        extensions[6] = 0; // hop-by-hop
        foreach (byte[] bytes in (byte[][])[options, extensions])
        {
            using var packet = new NativeBuffer(bytes, GuardPage.Behind);
            Assert.Equal(DropReason.None, InnerPacket.TryParse(packet.Pointer, packet.Length, out _));
        }
    }

    [Fact]
    public void WrongChecksumVersionHeaderLengthAndJumbogram_AreRefused()
    {
        byte[] good = InnerPackets.Udp("10.1.2.3", "192.0.2.9", 100);
        AssertRefused(DropReason.InnerChecksum, good, packet => packet[11] ^= 1);
        AssertRefused(DropReason.InnerMalformed, good, packet => packet[0] = 0x55);
        AssertRefused(DropReason.InnerMalformed, good, packet => packet[0] = 0x44);
        AssertRefused(DropReason.InnerMalformed, good, packet => packet[3] = 19);
        AssertRefused(DropReason.InnerMalformed, good, packet => packet[2] = 1);
        byte[] jumbo = InnerPackets.Udp("2001:db8::1", "2001:db8::2", 100);
        AssertRefused(DropReason.InnerMalformed, jumbo, packet => packet[4] = packet[5] = packet[6] = 0);
    }

    [Fact]
    public void HopLimit_GoesDownAndTheChecksumStaysRight()
    {
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++)
        {
            byte hops = (byte)random.Next(0, 256);
            byte[] bytes = InnerPackets.Udp($"10.{random.Next(256)}.{random.Next(256)}.{random.Next(1, 255)}", "192.0.2.9", 40, hops, seed: i);
            bytes[4] = (byte)random.Next(256);
            InnerPackets.FixHeaderChecksum(bytes);
            fixed (byte* packet = bytes)
                Assert.Equal(hops > 1, InnerPacket.TryDecrementHopLimit(packet));
            Assert.Equal(hops > 1 ? hops - 1 : hops, bytes[8]);
            Assert.Equal(0, InnerPackets.Checksum(bytes.AsSpan(0, 20)));
        }
        byte[] ipv6 = InnerPackets.Udp("2001:db8::1", "2001:db8::2", 60, hopLimit: 2);
        fixed (byte* packet = ipv6)
        {
            Assert.True(InnerPacket.TryDecrementHopLimit(packet));
            Assert.False(InnerPacket.TryDecrementHopLimit(packet));
        }
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("10.0.0.1", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("169.254.1.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("2001:db8::1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("febf::1", false)]
    [InlineData("fec0::1", true)]
    [InlineData("ff02::1", false)]
    public void OnlyUnicastBeyondTheLink_IsForwarded(string address, bool forwarded) =>
        Assert.Equal(forwarded, InnerPacket.IsForwardable(InnerAddress.From(IPAddress.Parse(address))));

    [Fact]
    public void Mutations_NeverReachBeyondThePacket()
    {
        var random = new Random(40);
        byte[][] seeds =
        [
            InnerPackets.Udp("10.1.2.3", "192.0.2.9", 64), InnerPackets.Udp("2001:db8::1", "2001:db8::2", 64),
        ];
        using var router = new NativeBuffer(IcmpError.MaxIPv6, GuardPage.Behind);
        using var guarded = new NativeBuffer(64, GuardPage.Behind);
        int accepted = 0;
        for (int i = 0; i < 100_000; i++)
        {
            int length = random.Next(0, 65);
            byte* packet = guarded.Pointer + 64 - length;
            seeds[i & 1].AsSpan(0, length).CopyTo(new Span<byte>(packet, length));
            for (int change = random.Next(0, 4); change > 0 && length > 0; change--)
                packet[random.Next(Math.Min(length, 12))] = (byte)random.Next(256);
            if (length >= 20 && packet[0] >> 4 == 4 && (packet[0] & 15) * 4 <= length && (packet[0] & 15) >= 5)
                InnerPackets.FixHeaderChecksum(new Span<byte>(packet, length));
            if (InnerPacket.TryParse(packet, length, out InnerPacket parsed) != DropReason.None)
                continue;
            accepted++;
            Assert.InRange(parsed.Length, 20, length);
            if (IcmpError.IsAllowed(packet, parsed))
                Assert.InRange(IcmpError.Write(IcmpErrorKind.TooBig, packet, parsed, default, 1280, router.Pointer), 48, IcmpError.MaxIPv6);
            InnerPacket.TryDecrementHopLimit(packet);
        }
        Assert.True(accepted > 100, "the mutations left nothing to accept: they test nothing");
    }

    private static void AssertRefused(DropReason reason, byte[] good, Action<byte[]> spoil)
    {
        byte[] bad = [.. good];
        spoil(bad);
        using var packet = new NativeBuffer(bad, GuardPage.Behind);
        Assert.Equal(reason, InnerPacket.TryParse(packet.Pointer, packet.Length, out _));
    }
}
